// One thing that was said in a thread: by the customer, by us, as a note, or still on its way.

import { agents, discard, me, send } from '../desk.js';
import { _, date, exact } from '../i18n.js';
import { icon } from '../icons.js';
import { delivered } from '../store.js';
import { html, nothing } from '../vendor/lit.js';

/** @param {{kind: string, message?: object, note?: object, entry?: object}} item of the store's timeline */
export function bubble(item, ticket, thread) {
  if (item.kind === 'note') return note(item.note);
  if (item.kind === 'going') return going(item.entry);
  return message(item.message, ticket, thread);
}

function message(said, ticket, thread) {
  const ours = said.direction === 'outgoing';
  const author = ours ? agentName(said.author_kind, said.author_id) : ticket?.contact_name || _('No name');
  const gone = said.deleted_at != null;
  return html`<li class=${`bubble ${ours ? 'bubble--ours' : 'bubble--theirs'}`} id=${`m${said.id}`}>
    ${head(author, said.created_at)}
    <div class=${gone ? 'bubble__text bubble__text--gone' : 'bubble__text'} dir="auto">${gone ? _('This message was deleted.') : said.text}</div>
    ${said.edited_at && !gone ? html`<span class="bubble__state">${_('edited')}</span>` : nothing}
    ${ours && !gone ? way(delivered(thread, said.id)) : nothing}
  </li>`;
}

function note({ agent_id, text, created_at }) {
  return html`<li class="bubble bubble--note">
    ${head(agentName('agent', agent_id), created_at, html`<span class="bubble__mark">${icon('lock')}${_('Note')}</span>`)}
    <div class="bubble__text" dir="auto">${text}</div>
  </li>`;
}

function going(entry) {
  const failed = entry.state === 'failed' || entry.state === 'stale';
  return html`<li class=${`bubble bubble--going ${entry.mode === 'note' ? 'bubble--note' : 'bubble--ours'} ${failed ? 'bubble--failed' : ''}`}>
    ${head(me.value.agent.name, entry.at, entry.mode === 'note' ? html`<span class="bubble__mark">${icon('lock')}${_('Note')}</span>` : nothing)}
    <div class="bubble__text" dir="auto">${entry.text}</div>
    ${failed
      ? html`<span class="bubble__state bubble__state--failed" role="alert">${icon('alert')}${_('Not sent.')} <span dir="auto">${entry.problem?.message}</span></span>
        <span class="bubble__do"><button class="quiet" @click=${() => send(entry)}>${_('Try again')}</button>
        <button class="quiet" @click=${() => discard(entry.id)}>${_('Discard')}</button></span>`
      : html`<span class="bubble__state">${icon('clock')}${_('Sending…')}</span>`}
  </li>`;
}

function head(author, at, mark = nothing) {
  return html`<div class="bubble__head"><bdi class="bubble__author">${author}</bdi> ${mark}
    <time datetime=${new Date(at).toISOString()} title=${exact(at)}>${date(at, 'time')}</time></div>`;
}

function way(state) {
  const word = {
    queued: _('Sending…'), sending: _('Sending…'), sent: _('Sent'), delivered: _('Delivered'), read: _('Read'), held: _('Held: nothing can carry it yet'),
    failed: _('Could not be delivered'), unknown: _('It may not have arrived'), cancelled: _('Called back'),
  }[state];
  if (!word) return nothing;
  const bad = state === 'failed' || state === 'unknown';
  return html`<span class=${bad ? 'bubble__state bubble__state--failed' : 'bubble__state'}>
    ${icon(bad ? 'alert' : state === 'queued' || state === 'sending' || state === 'held' ? 'clock' : 'check')}${word}</span>`;
}

export function agentName(kind, id) {
  if (kind === 'bot') return _('Bot');
  return agents.value[id]?.name ?? (id === me.value?.agent.id ? me.value.agent.name : _('A colleague'));
}
