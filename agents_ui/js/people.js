// What the console knows of a contact beyond the name in a list, and everything that can be done to one. Fetched when it is
// shown, and anew when an event says that it has changed. For the contact panel, the contacts screen and their dialogs.

import { clientId, del, get, patch, post } from './base.js';
import { hear, may, tell } from './desk.js';
import { signal } from './vendor/signals-core.js';

const API = '/api/v1';
const SETTLES = 400; // ms: what changes often is fetched once

// --- one contact ----------------------------------------------------------------------------------------------------

/** @typedef {{contact: object|null, failed: string|null, news: number}} Known  `news` grows when something happened to them */

const known = new Map();
const shown = new Map(); // id → how many places show it

/** @returns {Known} as far as it is there; asks for it when it is not */
export function person(id) {
  if (!known.has(id)) {
    known.set(id, signal({ contact: null, failed: null, news: 0 }));
    fetchOne(id);
  }
  return known.get(id).value;
}

export async function fetchOne(id) {
  const at = known.get(id);
  if (!at) return;
  try {
    at.value = { ...at.peek(), contact: await get(`${API}/contacts/${id}`), failed: null };
  } catch (problem) {
    at.value = { ...at.peek(), failed: problem.message };
  }
}

/** Says that a place shows this contact, so that what happens to them is fetched; → says that it no longer does. */
export function watch(id) {
  shown.set(id, (shown.get(id) ?? 0) + 1);
  return () => {
    const left = shown.get(id) - 1;
    if (left) shown.set(id, left);
    else shown.delete(id);
  };
}

const timers = new Map();

function happened(id) {
  if (!known.has(id)) return;
  if (!shown.has(id)) {
    known.delete(id); // fetched anew the next time that somebody looks
    return;
  }
  clearTimeout(timers.get(id));
  timers.set(id, setTimeout(async () => {
    await fetchOne(id);
    const at = known.get(id);
    if (at) at.value = { ...at.peek(), news: at.peek().news + 1 };
  }, SETTLES));
}

export const RETAGS = new Set(['tag.changed', 'tag.merged', 'tag.deleted', 'tag.restored']); // whoever bears one is shown otherwise

hear((frame) => {
  if (frame.type === 'snapshot') {
    for (const id of [...known.keys()]) happened(id);
  } else if (frame.type === 'event') {
    if (frame.name.startsWith('own_field.')) defined.value = null;
    if (RETAGS.has(frame.name)) for (const id of [...known.keys()]) happened(id);
    const id = frame.contact_id ?? frame.contact?.id ?? frame.ticket?.contact_id;
    if (id != null) happened(id);
  }
});

// --- own fields and tags --------------------------------------------------------------------------------------------

const defined = signal(null);
let asking = false;

/** The fields that this desk has given its contacts; [] until they are there. */
export function fields() {
  if (defined.value === null && !asking) {
    asking = true;
    get(`${API}/fields`).then(({ items }) => items.filter((one) => (one.of ?? 'contact') === 'contact'), () => []).then((items) => {
      asking = false;
      defined.value = items;
    });
  }
  return defined.value ?? [];
}

// --- doing ----------------------------------------------------------------------------------------------------------

/** A change of a contact: what the desk answers is how they are now. → what is wrong, as a sentence; '' when it is done */
async function done(id, asked) {
  try {
    const contact = await asked;
    const at = known.get(id);
    if (at && contact?.points) at.value = { ...at.peek(), contact, failed: null };
    else if (at) await fetchOne(id);
    return '';
  } catch (problem) {
    return problem.message;
  }
}

/** The same where no field is at hand to say it beside. */
async function told(id, asked) {
  const wrong = await done(id, asked);
  if (wrong) tell(wrong);
  return !wrong;
}

export const change = (id, body) => done(id, patch(`${API}/contacts/${id}`, body));
export const addPoint = (id, kind, value) => done(id, post(`${API}/contacts/${id}/points`, { kind, value }));
export const removePoint = (id, pointId) => told(id, del(`${API}/contacts/${id}/points/${pointId}`));
export const tag = (id, name) => done(id, post(`${API}/contacts/${id}/tag`, { tag: name }));
export const untag = (id, name) => told(id, post(`${API}/contacts/${id}/untag`, { tag: name }));
export const block = (id, blocked = true) => told(id, patch(`${API}/contacts/${id}`, { blocked }));
export const consent = (id, pointId, body) => done(id, post(`${API}/contacts/${id}/points/${pointId}/consents`, body));

export const notes = (id, cursor) => get(`${API}/contacts/${id}/notes`, { limit: 20, cursor });
export const addNote = (id, text) => post(`${API}/contacts/${id}/notes`, { text }, { id: clientId() });
export const changeNote = (noteId, text) => patch(`${API}/contact_notes/${noteId}`, { text });
export const removeNote = (noteId) => del(`${API}/contact_notes/${noteId}`);

/** @returns {Promise<object>} the new contact; throws the Problem, whose `body.errors` name the fields */
export const create = (body, key = clientId()) => post(`${API}/contacts`, body, { id: key });

/** What may be changed by this agent. */
export const mayChange = () => may('contacts.change');
export const mayExport = () => may('contacts.export');

// --- reading --------------------------------------------------------------------------------------------------------

export const timeline = (id, cursor) => get(`${API}/contacts/${id}/timeline`, { limit: 30, cursor });
export const visits = (id) => get(`${API}/contacts/${id}/visits`);
export const ways = (id) => get(`${API}/contacts/${id}/ways`).then(({ items }) => items);

/** A query as the API reads it: what has several values stands there several times. */
export const asQuery = (query) => new URLSearchParams(Object.entries(query).filter(([, value]) => value != null).flatMap(([name, value]) => [value].flat().map((one) => [name, one])));

export const list = (query) => get(`${API}/contacts?${asQuery(query)}`);
export const write = (id, body, key) => post(`${API}/contacts/${id}/write`, body, { id: key });
