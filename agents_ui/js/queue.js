// Who waits for an agent, for how long, and a button to take them. Loaded when the queue is opened.

import { _, exact, ngettext, waited } from './base.js';
import { accept, agents, decline, inboxes, may, me, ready, setAvailability, state } from './desk.js';
import { glyph, priority } from './list.js';
import { Part, action, avatar, go, icon, now, skeleton } from './parts.js';
import { queue } from './store.js';
import { html, nothing, repeat } from './vendor/lit.js';
import { computed } from './vendor/signals-core.js';

const LONG = 5 * 60_000; // from here on a wait is long

const waiting = computed(() => queue(state.value));
const own = computed(() => agents.value[me.value?.agent.id] ?? me.value?.agent ?? {});
const mine = computed(() => waiting.value.find((ticket) => ticket.offered_to === me.value?.agent.id));

class Queue extends Part {
  render() {
    const some = waiting.value, longest = some.length ? Math.min(...some.map((ticket) => ticket.waiting_since)) : null;
    return html`<section class="queue" aria-labelledby="queue-title">
      <header class="queue__head"><h1 id="queue-title" tabindex="-1">${_('Waiting for an answer')}</h1>
        ${some.length ? html`<p class="queue__sum"><b>${ngettext('{0} is waiting', '{0} are waiting', some.length)}</b> · ${_('longest {0}', waited(now.value - longest))}</p>` : nothing}
      </header>
      ${this.#self()}
      ${ready.value ? nothing : skeleton()}
      <ol class="queue__list">${repeat(some, (ticket) => ticket.number, (ticket) => this.#waiting(ticket))}</ol>
      ${ready.value && !some.length
        ? html`<div class="empty">${icon('check')}<p>${_('Nobody is waiting.')}</p><a class="button button--plain" href="/inbox">${_('To the inbox')}</a></div>` : nothing}
    </section>`;
  }

  /** Whether one is offered anything, and how much of it one has already. */
  #self() {
    const { availability = 'offline', load, capacity } = own.value;
    if (!may('tickets.reply')) return nothing;
    if (availability !== 'online') {
      return html`<p class="queue__self queue__self--off">${icon('alert')}<span>${_('You are not online: nothing is offered to you.')}</span>
        <button class="button button--plain" @click=${() => setAvailability('online')}>${_('Go online')}</button></p>`;
    }
    if (!capacity) return nothing;
    const full = load >= capacity;
    return html`<p class="queue__self"><span>${full ? _('Your hands are full: {0} of {1} points.', String(load), String(capacity)) : _('You have {0} of {1} points in hand.', String(load), String(capacity))}</span>
      <meter min="0" max=${capacity} high=${capacity * 0.8} optimum="0" .value=${Math.min(load, capacity)} aria-label=${_('Your load')}></meter></p>`;
  }

  #waiting(ticket) {
    const offered = ticket.offered_to === me.value?.agent.id, other = ticket.offered_to != null && !offered ? agents.value[ticket.offered_to] : null;
    const name = ticket.contact_name || _('No name'), wait = now.value - ticket.waiting_since;
    const left = offered && ticket.offered_until ? Math.max(0, Math.ceil((ticket.offered_until - now.value) / 1000)) : null;
    return html`<li class=${offered ? 'waits waits--offered' : 'waits'}>
      ${avatar(name, ticket.contact_id)}
      <div class="waits__what">
        <p class="waits__who"><bdi class="waits__name">${name}</bdi>
          ${ticket.priority === 'normal' ? nothing : html`<span class=${`chip chip--${ticket.priority}`}>${icon('flag')}${priority(ticket.priority)}</span>`}
          ${offered ? html`<span class="chip chip--waits">${_('Offered to you')}</span>` : nothing}
          ${other ? html`<span class="chip">${_('Offered to {0}', other.name)}</span>` : nothing}</p>
        <p class="waits__text" dir="auto">${ticket.last_text || ticket.subject}</p>
        <p class="waits__from"><a href=${`/inbox/${ticket.number}`}>#${ticket.number}</a> <span class="waits__inbox">${glyph(inboxes.value[ticket.inbox_id])}<bdi>${inboxes.value[ticket.inbox_id]?.name ?? ''}</bdi></span>
          ${ticket.source?.page ? html`<bdi class="waits__page" dir="ltr">${ticket.source.page.replace(/^https?:\/\//, '')}</bdi>` : nothing}</p>
      </div>
      <time class=${wait > LONG ? 'waits__time waits__time--long' : 'waits__time'} datetime=${new Date(ticket.waiting_since).toISOString()} title=${exact(ticket.waiting_since)}>${waited(wait)}</time>
      ${may('tickets.reply') ? html`<div class="waits__do">
        <button class=${offered || !mine.value ? 'button' : 'button button--plain'} aria-label=${_('Accept {0}', name)} @click=${() => take(ticket)}>${_('Accept')}${left === null ? nothing : html` <span aria-hidden="true">${left}</span>`}</button>
        ${offered ? html`<button class="button button--plain" @click=${() => decline(ticket.number)}>${_('Decline')}</button>` : nothing}
      </div>` : nothing}
    </li>`;
  }
}

async function take(ticket) {
  if (await accept(ticket)) go(`/inbox/${ticket.number}`);
}

for (const given of [
  { name: 'queue.accept', key: 'Enter', text: () => _('Accept'), run: () => { if (waiting.value[0]) take(waiting.value[0]); } },
  { name: 'queue.decline', key: 'Backspace', text: () => _('Decline'), run: () => { if (mine.value) decline(mine.value.number); } },
]) action({ where: 'queue', group: 'queue', able: () => may('tickets.reply'), ...given });

customElements.define('p-queue', Queue);
