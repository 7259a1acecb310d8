// Letters: who gets an answer besides the customer, and sending a letter on to somebody else. Loaded by composer.js with the first ticket that
// goes by mail, and by thread.js when one is forwarded.

import { _ } from './base.js';
import { ask, did, state } from './desk.js';
import { icon } from './parts.js';
import { html, nothing } from './vendor/lit.js';

const ADDRESS = /^[^\s@<>(),;:"\\]+@[^\s@<>(),;:"\\]+$/;
const FIELDS = ['to', 'cc', 'bcc'];
const LABELS = { to: () => _('Also to'), cc: () => _('Copies (Cc)'), bcc: () => _('Blind copies (Bcc)') };
const begun = new Map(); // ticket → {to, cc, bcc, wrong} as they are written; a closed row has none

const split = (text) => text.split(/[\s,;]+/).filter(Boolean);

/** The last letter of somebody else's, and who got it besides us. */
function last(number) {
  const messages = state.value.threads[number]?.messages ?? [];
  return messages.findLast((one) => one.direction === 'incoming' && Array.isArray(one.details?.from));
}

function others(number) {
  const said = last(number), ticket = state.value.tickets[number];
  if (!said) return [];
  const writers = said.author_id === ticket?.contact_id ? [] : said.details.from.map(({ address }) => address);
  return [...new Set([...writers, ...(said.details.others ?? [])])];
}

/** @param {() => void} redraw of the composer */
export function row(number, redraw) {
  const now = begun.get(number), all = others(number);
  const open = (with_) => {
    begun.set(number, { to: '', cc: with_.join(', '), bcc: '', wrong: {} });
    redraw();
    queueMicrotask(() => document.getElementById(with_.length ? 'copies-cc' : 'copies-to')?.focus());
  };
  if (!now) {
    return html`<p class="copies copies--closed"><button type="button" class="quiet" @click=${() => open([])}>${_('Add recipients')}</button>
      ${all.length ? html`<button type="button" class="quiet" @click=${() => open(all)}>${_('Answer all ({0})', String(all.length + 1))}</button>` : nothing}</p>`;
  }
  const close = () => {
    begun.delete(number);
    redraw();
    document.querySelector('p-composer textarea')?.focus();
  };
  const typed = (event) => {
    now[event.target.name] = event.target.value;
    if (now.wrong[event.target.name]) {
      now.wrong = {};
      redraw();
    }
  };
  return html`<div class="copies" role="group" aria-label=${_('Recipients')}>
    ${FIELDS.map((name) => html`<label class="copies__field" for=${`copies-${name}`}>${LABELS[name]()}</label>
      <span class="copies__cell"><input id=${`copies-${name}`} name=${name} type="text" inputmode="email" dir="ltr" autocomplete="off" spellcheck="false" maxlength="2000" .value=${now[name]}
        aria-invalid=${now.wrong[name] ? 'true' : nothing} aria-describedby=${now.wrong[name] ? `copies-${name}-wrong` : nothing}
        @input=${typed} @keydown=${(event) => { if (event.key === 'Enter') event.preventDefault(); if (event.key === 'Escape') close(); }}>
        ${now.wrong[name] ? html`<span class="copies__wrong" role="alert" id=${`copies-${name}-wrong`}>${now.wrong[name]}</span>` : nothing}</span>`)}
    <button type="button" class="tool copies__close" aria-label=${_('Only to the customer')} title=${_('Only to the customer')} @click=${close}>${icon('close')}</button>
  </div>`;
}

/** Whether something is written there that is no address: then its field says so. */
export function isWrong(number, redraw) {
  const now = begun.get(number);
  if (!now) return false;
  now.wrong = {};
  for (const name of FIELDS) {
    const bad = split(now[name]).find((one) => !ADDRESS.test(one));
    if (bad) now.wrong[name] = _('{0} is no e-mail address.', bad);
  }
  if (!Object.keys(now.wrong).length) return false;
  redraw();
  queueMicrotask(() => document.querySelector('.copies [aria-invalid]')?.focus());
  return true;
}

/** Whom else the answer is sent to now. */
export function take(number) {
  const now = begun.get(number);
  begun.delete(number);
  return now ? Object.fromEntries(FIELDS.map((name) => [name, split(now[name])]).filter(([, found]) => found.length)) : {};
}

/** A message of a ticket, with its files, to somebody else. */
export async function forward(number, messageId) {
  const { question } = await import('./dialogs.js');
  const said = state.value.threads[number]?.messages.find(({ id }) => id === messageId);
  const files = said?.files?.length ?? 0;
  const check = (event) => {
    const bad = split(event.target.value).find((one) => !ADDRESS.test(one));
    event.target.setCustomValidity(bad ? _('{0} is no e-mail address.', bad) : '');
  };
  const given = await question({
    title: _('Forward this message'), yes: _('Forward'), wide: true,
    body: () => html`<label class="field"><span>${_('To')}</span><input name="to" type="text" inputmode="email" dir="ltr" required autofocus autocomplete="off" spellcheck="false" @input=${check}>
        <small>${_('Several with commas between.')}</small></label>
      <label class="field"><span>${_('Copies (Cc)')}</span><input name="cc" type="text" inputmode="email" dir="ltr" autocomplete="off" spellcheck="false" @input=${check}></label>
      <label class="field"><span>${_('What you say about it')}</span><textarea name="text" rows="4" dir="auto" maxlength="5000"></textarea>
        <small>${_('The message stands below. The customer is not told, and goes on waiting.')}</small></label>
      ${files ? html`<label class="option"><input type="checkbox" name="files" checked><span>${_('With its files')}</span></label>` : nothing}`,
  });
  if (!given) return;
  const to = split(given.to);
  const done = await ask('post', `/tickets/${number}/forward`, { message_id: messageId, to, cc: split(given.cc), text: given.text, with_files: Boolean(given.files) });
  if (done) did(_('Forwarded to {0}.', to.join(', ')));
}
