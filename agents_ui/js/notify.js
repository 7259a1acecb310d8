// Tells the agent that something happened while they look elsewhere: a notice of the desktop, a sound, a dot on the tab's
// picture. What is told at all, notices.js decides. Of several tabs one speaks, so that nothing sounds twice. For later.js.

import { hear, me, preferences, state, tell } from './desk.js';
import { _, lang, ngettext } from './base.js';
import { go, now, route } from './parts.js';
import { decide, kind, words } from './notices.js';
import { effect, signal } from './vendor/signals-core.js';

const LOCK = 'parley.notices', FRESH = 60_000; // ms: what is older was caught up with after the line was cut
const RING = 4_000; // ms between two rings of an offer that nobody has answered

/** Tickets that were told of since one was in front. */
const news = signal(new Set());
const tab = crypto.randomUUID();
const others = new Map(); // what the other tabs say of themselves
const channel = new BroadcastChannel(LOCK);
let speaks = false;

// --- which tab speaks -----------------------------------------------------------------------------------------------

const inFront = () => document.visibilityState === 'visible' && document.hasFocus();

const standing = () => ({ tab, shown: route.peek().number, inFront: inFront(), at: Date.now() });

const say = () => channel.postMessage(standing());

channel.onmessage = ({ data }) => {
  if (data.read) news.value = new Set([...news.peek()].filter((number) => !data.read.includes(number)));
  else if (data.gone) others.delete(data.gone);
  else others.set(data.tab, data);
};

/** The tab that one looks at, wherever that is. */
function looking() {
  const mine = standing();
  return mine.inFront ? mine : [...others.values()].find((one) => one.inFront && Date.now() - one.at < 5 * 60_000) ?? mine;
}

navigator.locks?.request(LOCK, () => {
  speaks = true;
  return new Promise(() => {}); // until the tab is closed
});

for (const sign of ['focus', 'blur', 'visibilitychange', 'pageshow']) addEventListener(sign, () => setTimeout(attend), true);
addEventListener('pagehide', () => channel.postMessage({ gone: tab }));
effect(() => {
  void route.value;
  attend();
});

/** Who is in front has seen what came. */
function attend() {
  say();
  if (!inFront() || !news.peek().size) return;
  channel.postMessage({ read: [...news.peek()] });
  for (const number of news.peek()) shown.get(number)?.close();
  news.value = new Set();
}

// --- telling --------------------------------------------------------------------------------------------------------

hear((frame) => {
  if (frame.type !== 'event' || !me.value || Date.now() - frame.at > FRESH) return;
  const teams = new Set(Object.values(state.value.teams).filter((team) => team.members?.includes(me.value.agent.id)).map((team) => team.id));
  const { shown: number, inFront: front } = looking();
  const told = decide(withTicket(frame), { me: me.value, teams, preferences: preferences.value, now: new Date(), shown: number, inFront: front });
  if (frame.name === 'desk.deliveries_unended' && speaks) {
    tell(ngettext('{0} message has not come to its end for a day', '{0} messages have not come to their end for a day', frame.number), { label: _('To the outbox'), run: () => location.assign('/settings/outbox'), stays: true });
  }
  if (front && kind(frame, me.value) === 'undelivered' && route.peek().number !== frame.number) {
    tell(words('undelivered', frame).title, { label: _('Open'), run: () => go(`/inbox/${frame.number}`), lasts: 20_000 });
  }
  if (!told) return;
  if (!front) news.value = new Set(news.peek()).add(told.number);
  if (!speaks) return;
  if (told.sound) sound(told.event, told.number);
  if (told.desktop) notice(told, withTicket(frame));
});

/** Mentions name only the ticket. */
const withTicket = (frame) => (frame.ticket ? frame : { ...frame, ticket: state.value.tickets[frame.number] });

const shown = new Map(); // the notice of each ticket

function notice({ event, number }, frame) {
  if (globalThis.Notification?.permission !== 'granted') return;
  const { title, body } = words(event, frame);
  try {
    const one = new Notification(title, { body, tag: `parley.${number}`, renotify: true, silent: true, lang: lang(), dir: 'auto', icon: picture.href });
    shown.set(number, one);
    one.onclose = () => { if (shown.get(number) === one) shown.delete(number); };
    one.onclick = () => {
      globalThis.focus();
      go(`/inbox/${number}`);
      one.close();
    };
  } catch {
    // Some browsers of phones have the name of it and not the thing.
  }
}

// --- sounds ---------------------------------------------------------------------------------------------------------

const TONES = { offered: [660, 880, 660], waiting: [587, 880], mentioned: [784, 988], due: [440, 392] }, OTHER = [698, 880];
let audio = null;

/** Browsers let nothing sound before the first click or key. */
function wake() {
  if (navigator.userActivation && !navigator.userActivation.hasBeenActive) return;
  audio ??= new AudioContext();
  if (audio.state === 'suspended') audio.resume();
  for (const sign of ['click', 'keyup']) removeEventListener(sign, wake, true);
}
for (const sign of ['click', 'keyup']) addEventListener(sign, wake, true);

export function sound(event, number = null) {
  if (!audio) return;
  const begin = audio.currentTime + 0.02;
  (TONES[event] ?? OTHER).forEach((pitch, place) => {
    const tone = audio.createOscillator(), loud = audio.createGain(), at = begin + place * 0.16;
    tone.type = 'sine';
    tone.frequency.value = pitch;
    loud.gain.setValueAtTime(0, at);
    loud.gain.linearRampToValueAtTime(0.16, at + 0.015);
    loud.gain.exponentialRampToValueAtTime(0.001, at + 0.3);
    tone.connect(loud).connect(audio.destination);
    tone.start(at);
    tone.stop(at + 0.32);
  });
  if (event === 'offered' && number != null) setTimeout(() => offers(number) && speaks && sound(event, number), RING);
}

const offers = (number) => {
  const ticket = state.value.tickets[number];
  return ticket?.offered_to === me.value?.agent.id && (ticket.offered_until == null || ticket.offered_until > now.value);
};

// --- the tab --------------------------------------------------------------------------------------------------------

const picture = document.querySelector('link[rel="icon"]');
const plain = picture.href;

effect(() => {
  const many = news.value.size;
  picture.href = many ? plain.replace('mark.svg', 'mark-news.svg') : plain;
  (many ? navigator.setAppBadge?.(many) : navigator.clearAppBadge?.())?.catch(() => {});
});

/** Told by the button that asks for it: a browser refuses what asks by itself. */
export const permission = signal(globalThis.Notification?.permission ?? 'none');

export async function allow() {
  permission.value = await Notification.requestPermission();
}

export function sample() {
  wake();
  sound('message');
  if (permission.value === 'granted') new Notification('Parley', { body: '✓', tag: 'parley.sample', silent: true, icon: picture.href });
}
