// One ticket: who it is with, what was said, who else is looking, and the composer below.

import { claim, may, me, reopen, resolve, state, thread as load, view } from '../desk.js';
import { _, day, ngettext } from '../i18n.js';
import { icon } from '../icons.js';
import { Part } from '../part.js';
import { path, route } from '../router.js';
import { timeline } from '../store.js';
import { html, nothing, repeat } from '../vendor/lit.js';
import { computed } from '../vendor/signals-core.js';
import { agentName, bubble } from './p-bubble.js';
import './p-composer.js';
import { skeleton } from './p-ticket-list.js';
import { status } from './p-ticket-row.js';

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
    <div class="thread__do">${it ? actions(it) : nothing}</div>
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

customElements.define('p-thread', Thread);
