// Texts in the visitor's language, from the catalogue that the page brings along; dates where the browser has none.

let book = { lang: "en", dir: "ltr", plural: "", msgs: {}, dt: {} };

export function useCatalogue(catalogue) {
  book = { ...book, ...catalogue };
}

const RIGHT_TO_LEFT = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]/;

// A value that runs the other way must not turn the sentence around it: it stands by itself (U+2068 … U+2069).
function fill(text, values) {
  return text.replace(/\{(\d)\}/g, (_whole, index) => {
    const value = String(values[index]);
    return book.dir === "rtl" || RIGHT_TO_LEFT.test(value) ? `\u2068${value}\u2069` : value;
  });
}

export function _(text, ...values) {
  const found = book.msgs[text];
  return fill((Array.isArray(found) ? found[0] : found) || text, values);
}

export function ngettext(one, many, count, ...values) {
  const found = book.msgs[one];
  if (!Array.isArray(found)) return fill(count === 1 ? one : many, [count, ...values]);
  const form = Number(book.plural[count < 200 ? count : 100 + (count % 100)] ?? (count === 1 ? 0 : 1));
  return fill(found[form] ?? found[0], [count, ...values]);
}

const two = (number) => String(number).padStart(2, "0");
const knows = (lang) => Intl.DateTimeFormat.supportedLocalesOf([lang]).length > 0;

// 24 hours everywhere, digits as the language writes them where the browser knows it.
export function timeOf(at) {
  const date = new Date(at);
  if (!knows(book.lang)) return `${two(date.getHours())}:${two(date.getMinutes())}`;
  return new Intl.DateTimeFormat(book.lang, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).format(date);
}

export function dayOf(at, now) {
  const date = new Date(at);
  const days = Math.round((midnight(new Date(now)) - midnight(date)) / 86_400_000);
  if (days === 0) return _("Today");
  if (days === 1) return _("Yesterday");
  const sameYear = date.getFullYear() === new Date(now).getFullYear();
  if (knows(book.lang)) {
    const year = sameYear ? undefined : "numeric";
    return new Intl.DateTimeFormat(book.lang, { weekday: "long", day: "numeric", month: "long", year }).format(date);
  }
  return written(date, sameYear);
}

// Chromium has no Khmer: the desk sends the names and the order they stand in ("d MMMM y").
function written(date, sameYear) {
  const { months = [], monthsShort = [], day = "y-MM-d", full = "y-MM-d" } = book.dt;
  const month = date.getMonth();
  const parts = { MMMM: months[month], MMM: monthsShort[month], MM: two(month + 1), d: date.getDate() };
  parts.y = date.getFullYear();
  return (sameYear ? day : full).replace(/'([^']*)'|M+|d+|y+/g, (token, said) => said ?? parts[token] ?? token);
}

function midnight(date) {
  return new Date(date.getFullYear(), date.getMonth(), date.getDate(), 12).getTime();
}
