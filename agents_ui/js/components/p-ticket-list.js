// The list of tickets of a view. The selection is a ticket, not a place: it stays with it wherever that moves to.

import { busy, more, page, state } from '../desk.js';
import { _ } from '../i18n.js';
import { Part } from '../part.js';
import { go, path, route } from '../router.js';
import { listed, VIEWS } from '../store.js';
import { html, nothing, repeat } from '../vendor/lit.js';
import { computed, signal } from '../vendor/signals-core.js';
import { ticketRow } from './p-ticket-row.js';

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

function select(number) {
  if (number == null) return;
  selected.value = number;
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
  return html`<div class="empty"><p>${text}</p><a class="button button--plain" href=${link}>${label}</a></div>`;
}

export const skeleton = () => html`<div class="skeleton" role="status"><span class="sr">${_('Loading…')}</span>
  ${[0, 1, 2, 3].map(() => html`<i></i>`)}</div>`;

customElements.define('p-ticket-list', TicketList);
