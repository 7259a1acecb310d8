// Texts in the reader's language, and dates that are right in it. For every module that shows words.

let catalogue = { lang: 'en', dir: 'ltr', plural: '', msgs: {}, dt: null };
let native = true;
const RIGHT_TO_LEFT = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]/;

/** @param {{lang: string, dir: string, plural: string, msgs: object, dt: object}} given as hub/web/catalogues.py makes it */
export function use(given) {
  catalogue = given;
  native = Intl.DateTimeFormat.supportedLocalesOf([given.lang]).length > 0;
}

export const lang = () => catalogue.lang;

export function _(text, ...values) {
  return filled(catalogue.msgs[text] ?? text, values);
}

/** `{0}` is the number, `{1}` and on the other values. */
export function ngettext(one, many, number, ...values) {
  const found = catalogue.msgs[one];
  const form = catalogue.plural[number < 200 ? number : 100 + (number % 100)];
  const text = Array.isArray(found) ? found[Math.min(form ?? 0, found.length - 1)] : number === 1 ? one : many;
  return filled(text, [number, ...values]);
}

function filled(text, values) {
  if (values.length === 0) return text;
  return text.replace(/\{(\d)\}/g, (_hole, place) => isolated(values[place]));
}

/** A name that runs the other way must not turn the sentence around it. */
function isolated(value) {
  const turns = typeof value === 'string' && (catalogue.dir === 'rtl' || RIGHT_TO_LEFT.test(value));
  return turns ? `\u2068${value}\u2069` : String(value);
}

// --- times ----------------------------------------------------------------------------------------------------------

const MINUTE = 60_000;
const SHAPES = {
  time: { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' },
  day: { day: 'numeric', month: 'short' },
  date: { day: 'numeric', month: 'short', year: 'numeric' },
  full: { day: 'numeric', month: 'long', year: 'numeric' },
};

/** @param {'time'|'day'|'date'|'full'} shape */
export function date(at, shape = 'date', plain = !native) {
  const when = new Date(at);
  if (plain && catalogue.dt) return pattern(when, catalogue.dt[shape], catalogue.dt);
  return new Intl.DateTimeFormat(catalogue.lang, SHAPES[shape]).format(when);
}

/** Day and time, for titles and screen readers. */
export const exact = (at) => `${date(at, 'full')}, ${date(at, 'time')}`;

/** For lists: today the time, this year the day, else the date. */
export function short(at, now = Date.now()) {
  const then = new Date(at), today = new Date(now);
  if (then.toDateString() === today.toDateString()) return date(at, 'time');
  return date(at, then.getFullYear() === today.getFullYear() ? 'day' : 'date');
}

export function day(at, now = Date.now()) {
  const name = new Date(at).toDateString();
  if (name === new Date(now).toDateString()) return _('Today');
  if (name === new Date(now - 24 * 60 * MINUTE).toDateString()) return _('Yesterday');
  return date(at, 'full');
}

/** How long somebody has waited. */
export function waited(ms) {
  const minutes = Math.floor(Math.max(0, ms) / MINUTE);
  if (minutes < 1) return ngettext('{0} second', '{0} seconds', Math.floor(Math.max(0, ms) / 1000));
  if (minutes < 60) return ngettext('{0} minute', '{0} minutes', minutes);
  if (minutes < 48 * 60) return ngettext('{0} hour', '{0} hours', Math.floor(minutes / 60));
  return ngettext('{0} day', '{0} days', Math.floor(minutes / 1440));
}

/** A pattern of Unicode's (CLDR), as far as dates need it. */
function pattern(when, text, dt) {
  const two = (number) => String(number).padStart(2, '0');
  const fields = {
    d: () => when.getDate(), dd: () => two(when.getDate()), M: () => when.getMonth() + 1, MM: () => two(when.getMonth() + 1),
    MMM: () => dt.monthsShort[when.getMonth()], MMMM: () => dt.months[when.getMonth()], y: () => when.getFullYear(),
    HH: () => two(when.getHours()), H: () => when.getHours(), mm: () => two(when.getMinutes()),
    EEE: () => dt.days[(when.getDay() + 6) % 7],
  };
  return text.replace(/'([^']*)'|([a-zA-Z])\2*/g, (token, quoted) => (quoted !== undefined ? quoted : String(fields[token]?.() ?? token)));
}
