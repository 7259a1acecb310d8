// The only fetch. Changes carry the header that other sites cannot set; whatever goes wrong is a Problem. For desk.js and live.js.

import { _ } from './i18n.js';

const ULID = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const TIMEOUT = 20_000;

export class Problem extends Error {
  /** @param {string} kind the last part of the problem's type; "offline": the desk could not be reached */
  constructor(kind, text, status = 0, body = {}) {
    super(text);
    Object.assign(this, { name: 'Problem', kind, status, body });
  }

  /** Whether the same request may come through later. */
  get passing() {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

/** An id that sorts by time: 48 bits of it, then 80 bits by chance. */
export function clientId(now = Date.now()) {
  let time = '';
  for (let rest = now, i = 0; i < 10; i++, rest = Math.floor(rest / 32)) time = ULID[rest % 32] + time;
  return time + Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => ULID[byte % 32]).join('');
}

export const get = (path, query = {}) => {
  const given = Object.entries(query).filter(([, value]) => value != null);
  return ask('GET', given.length ? `${path}?${new URLSearchParams(given)}` : path);
};
export const post = (path, body = {}, options = {}) => ask('POST', path, body, options);
export const put = (path, body = {}, options = {}) => ask('PUT', path, body, options);
export const del = (path) => ask('DELETE', path);

async function ask(method, path, body, { id, signal, timeout = TIMEOUT } = {}) {
  const headers = { Accept: 'application/json' };
  if (method !== 'GET') headers['X-Parley-CSRF'] = '1';
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  if (id) headers['Idempotency-Key'] = id;
  const limit = AbortSignal.timeout(timeout);
  let answer, text;
  try {
    answer = await fetch(path, {
      method, headers, credentials: 'same-origin', body: body === undefined ? undefined : JSON.stringify(body),
      signal: signal ? AbortSignal.any([signal, limit]) : limit,
    });
    text = await answer.text();
  } catch {
    throw new Problem('offline', _('The desk cannot be reached. Check your connection.'));
  }
  if (answer.ok) return text ? JSON.parse(text) : null;
  throw problem(answer.status, text);
}

function problem(status, text) {
  let body = {};
  try {
    body = JSON.parse(text);
  } catch {
    // A proxy in between has answered with a page of its own.
  }
  const kind = String(body.type ?? '').split('/').pop() || 'failed';
  return new Problem(kind, words(kind, body), status, body);
}

function words(kind, body) {
  switch (kind) {
    case 'unauthenticated': return _('You are signed out. Sign in again.');
    case 'forbidden': return _('Your role does not allow this.');
    case 'not_found': return _('This is not there any longer, or not for you to see.');
    case 'too_many': return _('Too much at once. Wait a moment and try again.');
    case 'too_large': return _('This is too long.');
    case 'unavailable': return _('The desk is busy. Try again in a moment.');
    case 'failed': return _('The desk failed. It is not your fault; try again in a moment.');
    default: return body.errors?.[0]?.text ?? body.detail ?? _('This did not work.');
  }
}
