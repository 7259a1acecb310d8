// Who waits for an agent, for how long, and a button to take them.

import { _, waited } from './base.js';
import { accept, decline, inboxes, may, me, state } from './desk.js';
import { priority } from './list.js';
import { Part, action, go, now, skeleton } from './parts.js';
import { queue } from './store.js';
import { html, nothing, repeat } from './vendor/lit.js';
import { computed } from './vendor/signals-core.js';

const waiting = computed(() => queue(state.value));
const ready = computed(() => state.value.ready);

class Queue extends Part {
  render() {
    return html`<section class="queue" aria-labelledby="queue-title">
      <h1 id="queue-title" tabindex="-1">${_('Waiting for an answer')}</h1>
      ${ready.value ? nothing : skeleton()}
      <ol class="queue__list">${repeat(waiting.value, (ticket) => ticket.number, (ticket) => this.#waiting(ticket))}</ol>
      ${ready.value && !waiting.value.length
        ? html`<div class="empty"><p>${_('Nobody is waiting.')}</p><a class="button button--plain" href="/inbox">${_('To the inbox')}</a></div>` : nothing}
    </section>`;
  }

  #waiting(ticket) {
    const offered = ticket.offered_to === me.value?.agent.id;
    const name = ticket.contact_name || _('No name');
    return html`<li class=${offered ? 'waits waits--offered' : 'waits'}>
      <div class="waits__who">
        <bdi class="waits__name">${name}</bdi>
        <span class="waits__time">${_('waits {0}', waited(now.value - ticket.waiting_since))}</span>
        ${ticket.priority === 'normal' ? nothing : html`<span class="chip">${priority(ticket.priority)}</span>`}
        ${offered ? html`<span class="chip chip--waits">${_('Offered to you')}</span>` : nothing}
      </div>
      <p class="waits__text" dir="auto">${ticket.last_text || ticket.subject}</p>
      <p class="waits__from"><a href=${`/inbox/${ticket.number}`}>#${ticket.number}</a>
        <bdi>${inboxes.value[ticket.inbox_id]?.name ?? ''}</bdi>
        ${ticket.source?.page ? html`<bdi class="waits__page" dir="ltr">${ticket.source.page}</bdi>` : nothing}</p>
      ${may('tickets.reply') ? html`<div class="waits__do">
        <button class="button" aria-label=${_('Accept {0}', name)} @click=${() => take(ticket)}>${_('Accept')}</button>
        ${offered ? html`<button class="button button--plain" @click=${() => decline(ticket.number)}>${_('Decline')}</button>` : nothing}
      </div>` : nothing}
    </li>`;
  }
}

async function take(ticket) {
  if (await accept(ticket)) go(`/inbox/${ticket.number}`);
}

action({
  name: 'accept', key: 'Enter', where: 'queue', text: () => _('Accept'),
  run: () => waiting.value[0] && take(waiting.value[0]), able: () => may('tickets.reply'),
});

customElements.define('p-queue', Queue);
