// The list of tickets of a view. The selection is a ticket, not a place: it stays with it wherever that moves to.

import { _, exact, short, waited } from './base.js';
import { agents, busy, drafted, inboxes, me, more, page, state } from './desk.js';
import { Part, go, path, route, skeleton, soon } from './parts.js';
import { VIEWS, listed } from './store.js';
import { classMap, html, nothing, repeat } from './vendor/lit.js';
import { computed, signal } from './vendor/signals-core.js';

export const selected = signal(null);

const shown = computed(() => listed(state.value, route.value.view));
const ready = computed(() => state.value.ready);
// Where the focus goes into the list: the selected row, else the open one, else the first.
const active = computed(() => {
  const there = (number) => number && shown.value.some((ticket) => ticket.number === number);
  return [selected.value, route.value.number].find(there) ?? shown.value[0]?.number ?? null;
});

/** One row up or down, for the keyboard. */
export function move(by) {
  const numbers = shown.value.map((ticket) => ticket.number);
  const at = numbers.indexOf(selected.value ?? route.value.number);
  select(numbers[at < 0 ? 0 : Math.max(0, Math.min(numbers.length - 1, at + by))]);
}

export function select(number, focus = true) {
  if (number == null) return;
  selected.value = number;
  if (!focus) return;
  queueMicrotask(() => queueMicrotask(() => document.querySelector(`#t${number} > a`)?.focus()));
}

export function open() {
  if (active.value) go(path(active.value));
}

class TicketList extends Part {
  render() {
    const { view, number } = route.value;
    return html`<nav class="views" aria-label=${_('Views')}>${VIEWS.map((one) => html`<a href=${path(null, one)}
        aria-current=${one === view ? 'page' : nothing}>${title(one)}</a>`)}</nav>
      ${ready.value ? nothing : skeleton()}
      <ul class="rows" aria-label=${title(view)} @keydown=${onKey}>${repeat(shown.value, (ticket) => ticket.number, (ticket) =>
        ticketRow(ticket, { selected: ticket.number === active.value, current: ticket.number === number, href: path(ticket.number) }))}
      </ul>
      ${ready.value && !shown.value.length && !busy.value ? empty(view) : nothing}
      ${ready.value && shown.value.length > 40 && more.value[view] !== null
        ? html`<button class="button button--plain" ?disabled=${busy.value} @click=${() => page(view)}>${_('Show more')}</button>` : nothing}`;
  }
}

function onKey(event) {
  const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!by) return;
  event.preventDefault();
  move(by);
}

function title(view) {
  return { mine: _('Mine'), unassigned: _('Unassigned'), open: _('Open'), all: _('All') }[view] ?? view;
}

function empty(view) {
  const [text, link, label] = {
    mine: [_('Nothing is assigned to you.'), '/queue', _('See who waits')],
    unassigned: [_('Everything has somebody who looks after it.'), path(null, 'open'), _('See what is open')],
    open: [_('Nothing is open. What customers write appears here by itself.'), '/settings/inboxes', _('Look at the inboxes')],
  }[view] ?? [_('There are no tickets yet.'), '/settings/inboxes', _('Look at the inboxes')];
  return html`<div class="empty"><p>${text}</p><a class="button button--plain" href=${link}>${label}</a><p-first-run></p-first-run></div>`;
}

// --- a row ----------------------------------------------------------------------------------------------------------

/** A row; the list draws it, so that it can move rows without making them anew. */
export function ticketRow(ticket, { selected, current, href }) {
  const waits = ticket.waiting_since != null && ticket.status === 'open';
  return html`<li id=${`t${ticket.number}`} class=${classMap({ row: true, 'row--selected': selected, 'row--waits': waits })}>
    <a class="row__link" href=${href} aria-current=${current ? 'true' : nothing} tabindex=${selected ? '0' : '-1'}>
      <span class="row__head">
        <bdi class="row__name">${ticket.contact_name || _('No name')}</bdi>
        <time class="row__time" datetime=${new Date(ticket.last_message_at).toISOString()}
          title=${exact(ticket.last_message_at)}>${short(ticket.last_message_at)}</time>
      </span>
      <span class="row__subject" dir="auto">${ticket.subject && ticket.subject !== ticket.last_text ? ticket.subject : `#${ticket.number}`}</span>
      <span class="row__last">${lastWords(ticket)}</span>
      <span class="chips">${chips(ticket, waits)}</span>
    </a>
  </li>`;
}

function lastWords(ticket) {
  if (!ticket.last_text) return nothing;
  return html`${ticket.last_direction === 'outgoing' ? html`<span class="row__us">${_('Us:')}</span>` : nothing}<span
    dir="auto">${ticket.last_text}</span>`;
}

function chips(ticket, waits) {
  const assignee = agents.value[ticket.assignee_id];
  const inbox = inboxes.value[ticket.inbox_id];
  return html`
    ${waits ? html`<span class="chip chip--waits">${_('waits {0}', waited(soon.value - ticket.waiting_since))}</span>` : nothing}
    ${ticket.priority === 'urgent' || ticket.priority === 'high' ? html`<span class="chip chip--urgent">${priority(ticket.priority)}</span>` : nothing}
    ${ticket.status === 'open' ? nothing : html`<span class="chip">${status(ticket.status)}</span>`}
    ${assignee ? html`<span class="chip"><bdi>${assignee.id === me.value?.agent.id ? _('You') : assignee.name}</bdi></span>` : nothing}
    ${drafted.value.has(ticket.number) ? html`<span class="chip">${_('Draft')}</span>` : nothing}
    ${ticket.tags.slice(0, 2).map((tag) => html`<span class="chip"><bdi>${tag}</bdi></span>`)}
    ${inbox ? html`<span class="chip chip--plain"><bdi>${inbox.name}</bdi></span>` : nothing}`;
}

export function status(name) {
  return { open: _('Open'), pending: _('Pending'), snoozed: _('Snoozed'), resolved: _('Resolved') }[name] ?? name;
}

export function priority(name) {
  return { urgent: _('Urgent'), high: _('High'), normal: _('Normal'), low: _('Low') }[name] ?? name;
}

customElements.define('p-ticket-list', TicketList);
