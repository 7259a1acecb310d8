// One ticket: who it is with, what was said, who else is looking, and the composer below.

import { _, date, day, exact, ngettext } from './base.js';
import './composer.js';
import { agentName, agents, claim, discard, may, me, reopen, resolve, send, state, thread as load, view } from './desk.js';
import { status } from './list.js';
import { Part, aside, icon, panels, path, route, skeleton } from './parts.js';
import { delivered, timeline } from './store.js';
import { html, nothing, repeat } from './vendor/lit.js';
import { computed } from './vendor/signals-core.js';

const NEAR = 120; // pixels from the foot within which one stays there

const number = computed(() => route.value.number);
const ticket = computed(() => state.value.tickets[number.value]);
const thread = computed(() => state.value.threads[number.value]);
const items = computed(() => timeline(state.value, number.value));
const viewers = computed(() => (state.value.viewers[number.value] ?? []).filter((id) => id !== me.value?.agent.id));

class Thread extends Part {
  #shown = null; #atFoot = true; #told = null; #height = 0; #said = '';

  render() {
    return html`${head()}${this.#below(thread.value)}`;
  }

  #below(read) {
    if (read?.failed) return failed(read.failed);
    if (!read?.loaded || !ticket.value) return skeleton();
    return html`
      <div class="log" role="log" aria-live="off" tabindex="0" aria-label=${_('What was said')} @scroll=${this.#scrolled}>
        ${read.older ? html`<button class="button button--plain" @click=${this.#older}>${_('Show older messages')}</button>` : nothing}
        <ol class="log__list">${repeat(this.#days(), (item) => item.key, (item) =>
          item.kind === 'day' ? html`<li class="log__day"><span>${item.text}</span></li>` : bubble(item, ticket.value, read))}</ol>
        <p class="sr" aria-live="polite">${this.#news()}</p>
      </div>
      <p-composer .number=${number.value}></p-composer>`;
  }

  willUpdate() {
    if (this.#shown === number.value) return;
    this.#shown = number.value;
    this.#atFoot = true;
    this.#told = null;
    this.#said = '';
    view(number.value);
  }

  updated() {
    const log = this.querySelector('.log');
    if (!log) return;
    if (this.#atFoot) log.scrollTop = log.scrollHeight;
    else if (this.#height) log.scrollTop += log.scrollHeight - this.#height;
    this.#height = 0;
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    view(null);
  }

  #scrolled(event) {
    const { scrollTop, scrollHeight, clientHeight } = event.target;
    this.#atFoot = scrollHeight - scrollTop - clientHeight < NEAR;
  }

  #older() {
    this.#atFoot = false;
    this.#height = this.querySelector('.log').scrollHeight;
    load(number.value, thread.value.older);
  }

  #days() {
    let last = null;
    return items.value.flatMap((item) => {
      const text = day(item.at);
      const mark = text === last ? [] : [{ key: `d${item.key}`, kind: 'day', text }];
      last = text;
      return [...mark, item];
    });
  }

  /** What others have said since the last look, for screen readers: a history that was there before is not news. */
  #news() {
    const others = items.value.filter(({ message }) => message && !(message.author_kind === 'agent' && message.author_id === me.value.agent.id));
    const fresh = this.#told ? others.filter((item) => !this.#told.has(item.key)) : [];
    this.#told = new Set(others.map((item) => item.key));
    if (!fresh.length) return this.#said;
    if (fresh.length > 3) return (this.#said = ngettext('{0} new message', '{0} new messages', fresh.length));
    return (this.#said = fresh.map(({ message }) => _('{0} says: {1}', message.direction === 'outgoing'
      ? agentName(message.author_kind, message.author_id) : ticket.value.contact_name || _('No name'), message.text)).join(' '));
  }
}

function head() {
  const it = ticket.value;
  return html`<header class="thread__head">
    <a class="thread__back" href=${path(null)} aria-label=${_('Back to the list')}>${icon('back')}</a>
    <div class="thread__who">
      <h1 tabindex="-1" dir="auto">${it ? it.contact_name || _('No name') : `#${number.value}`}</h1>
      ${it ? about(it) : nothing}
    </div>
    <div class="thread__do">${it ? actions(it) : nothing}${panels.value.map((one) => html`<button class="tool" aria-label=${one.title()}
      aria-pressed=${aside.value === one.name ? 'true' : 'false'} @click=${() => { aside.value = aside.value === one.name ? '' : one.name; }}>${icon(one.icon)}</button>`)}</div>
  </header>`;
}

function about(it) {
  const looking = viewers.value.map((id) => agentName('agent', id)).join(', ');
  return html`<p class="thread__about"><bdi>${it.subject || nothing}</bdi> <span>#${it.number}</span>
    <span class="chip">${status(it.status)}</span> <span class="chip"><bdi>${owner(it)}</bdi></span>
    ${looking ? html`<span class="chip chip--seen">${_('{0} is looking', looking)}</span>` : nothing}</p>`;
}

function actions(it) {
  const claims = it.assignee_id == null && may('tickets.reply');
  return html`${claims ? html`<button class="button" aria-keyshortcuts="c" @click=${() => claim(it.number)}>${_('Claim')}</button>` : nothing}
    ${!may('tickets.change') ? nothing : it.status === 'resolved'
      ? html`<button class="button button--plain" @click=${() => reopen(it.number)}>${_('Reopen')}</button>`
      : html`<button class="button button--plain" aria-keyshortcuts="e" @click=${() => resolve(it.number)}>${_('Resolve')}</button>`}`;
}

function owner(it) {
  if (it.assignee_id == null) return _('Nobody’s');
  return it.assignee_id === me.value?.agent.id ? _('Yours') : agentName('agent', it.assignee_id);
}

function failed(text) {
  return html`<div class="empty" role="alert"><p dir="auto">${text}</p>
    <button class="button button--plain" @click=${() => load(number.value)}>${_('Try again')}</button></div>`;
}

// --- what was said --------------------------------------------------------------------------------------------------

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
    ${byline(author, said.created_at)}
    <div class=${gone ? 'bubble__text bubble__text--gone' : 'bubble__text'} dir="auto">${gone ? _('This message was deleted.') : said.text}</div>
    ${said.edited_at && !gone ? html`<span class="bubble__state">${_('edited')}</span>` : nothing}
    ${ours && !gone ? way(delivered(thread, said.id)) : nothing}
  </li>`;
}

function note({ agent_id, text, created_at }) {
  return html`<li class="bubble bubble--note">
    ${byline(agentName('agent', agent_id), created_at, html`<span class="bubble__mark">${icon('lock')}${_('Note')}</span>`)}
    <div class="bubble__text" dir="auto">${text}</div>
  </li>`;
}

function going(entry) {
  const failed = entry.state === 'failed' || entry.state === 'stale';
  return html`<li class=${`bubble bubble--going ${entry.mode === 'note' ? 'bubble--note' : 'bubble--ours'} ${failed ? 'bubble--failed' : ''}`}>
    ${byline(me.value.agent.name, entry.at, entry.mode === 'note' ? html`<span class="bubble__mark">${icon('lock')}${_('Note')}</span>` : nothing)}
    <div class="bubble__text" dir="auto">${entry.text}</div>
    ${failed
      ? html`<span class="bubble__state bubble__state--failed" role="alert">${icon('alert')}${_('Not sent.')} <span dir="auto">${entry.problem?.message}</span></span>
        <span class="bubble__do"><button class="quiet" @click=${() => send(entry)}>${_('Try again')}</button>
        <button class="quiet" @click=${() => discard(entry.id)}>${_('Discard')}</button></span>`
      : html`<span class="bubble__state">${icon('clock')}${_('Sending…')}</span>`}
  </li>`;
}

function byline(author, at, mark = nothing) {
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

customElements.define('p-thread', Thread);
