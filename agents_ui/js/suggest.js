// What is offered while one writes: ready texts after /, colleagues after @, emoji after a colon. Loaded with the first of these signs.

import { agents, state } from './desk.js';
import { avatar } from './parts.js';
import { fits, fold } from './rank.js';

const MOST = 8;

/** The best of `all`, by how well what was typed fits any of their words. */
function best(all, query, words) {
  const wish = fold(query);
  return all.map((one) => [Math.max(...words(one).map((word) => fits(wish, fold(word)))), one]).filter(([fit]) => fit > 0)
    .sort((a, b) => b[0] - a[0]).slice(0, MOST).map(([, one]) => one);
}

/** @returns {Promise<{title: string, hint?: string, face?: object, text?: string, canned?: number}[]>} */
export async function offers(what, query, number) {
  return { canned, people, emoji }[what](query, number);
}

function canned(query) {
  const all = Object.values(state.value.canned).sort((a, b) => a.short.localeCompare(b.short));
  return best(all, query, ({ short, title, text }) => [short, title ?? '', text.slice(0, 200)])
    .map(({ id, short, title, text }) => ({ canned: id, title: `/${short}`, hint: title && title !== short ? title : text.slice(0, 120) }));
}

function people(query) {
  const there = Object.values(agents.value).filter(({ disabled, id }) => !disabled && id !== state.value.me.agent.id);
  if (there.some(({ name }) => `${name} `.startsWith(query) && query.endsWith(' '))) return []; // it stands there already
  return best(there, query, ({ name }) => [name]).map(({ id, name }) => ({ text: `@${name}`, title: name, face: avatar(name, id, 'avatar--small') }));
}

async function emoji(query) {
  const { EMOJI } = await import('./emoji.js');
  return best(EMOJI, query, ([, words]) => words.split(' ')).map(([sign, words]) => ({ text: sign, title: sign, hint: words.split(' ')[0] }));
}
