// One ticket in the list: who, when, about what, and the last words.

import { agents, drafted, inboxes, me } from '../desk.js';
import { _, exact, short, waited } from '../i18n.js';
import { soon } from '../part.js';
import { classMap, html, nothing } from '../vendor/lit.js';

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
