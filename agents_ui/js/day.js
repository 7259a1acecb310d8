// My day: what waits for me, whom I wanted to get back to, who asked for me, and what I have done so far.

import { _, date, day as dayOf, exact, get, ngettext, short } from './base.js';
import { tile } from './board.js';
import { agentName, hear, me, state } from './desk.js';
import { against, heat, lasting, running } from './measures.js';
import { Part, avatar, now, route, skeleton, soon } from './parts.js';
import { due, named, soonish } from './person.js';
import { glyph } from './pictures.js';
import { html, nothing } from './vendor/lit.js';

const EVERY = 60_000, SETTLES = 2_000; // ms

class Day extends Part {
  static properties = { day: { state: true }, wrong: { state: true } };

  #timer = 0; #deaf = null;

  connectedCallback() {
    super.connectedCallback();
    this.#load();
    const mine = (frame) => frame.type === 'event' && (frame.ticket?.assignee_id === me.value?.agent.id || frame.name?.startsWith('delivery.') || frame.name === 'message.planned' || frame.name === 'agent.mentioned' || frame.name?.startsWith('contact.'));
    this.#deaf = hear((frame) => { if (mine(frame)) this.#later(SETTLES); });
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    this.#deaf?.();
    clearTimeout(this.#timer);
  }

  #later(pause) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#load(), pause);
  }

  async #load() {
    try {
      const [day, open] = await Promise.all([get('/api/v1/me/day'), get('/api/v1/deliveries', { mine: true, state: ['planned', 'held', 'unknown', 'failed'], limit: 50 })]);
      this.day = { ...day, planned: open.items.filter((one) => one.send_at), undelivered: open.items.filter((one) => !one.send_at) };
      this.wrong = '';
    } catch (problem) {
      this.wrong = problem.message;
    }
    if (this.isConnected && route.peek().screen === 'day') this.#later(EVERY);
  }

  render() {
    return html`<section class="board day" aria-labelledby="day-title">
      <header class="board__head"><h1 id="day-title" tabindex="-1">${greeting(new Date(soon.value).getHours(), me.value?.agent.name ?? '')}</h1></header>
      ${this.day ? this.#all(this.day) : this.wrong ? html`<div class="empty" role="alert"><p dir="auto">${this.wrong}</p><button class="button button--plain" @click=${() => this.#load()}>${_('Try again')}</button></div>` : skeleton()}
    </section>`;
  }

  #all(day) {
    const waiting = this.#waiting();
    return html`<div class="tiles">
        ${tile(_('Wait for me'), waiting.length, { heat: waiting.length ? heat(now.value - waiting[0].waiting_since) : 'calm' })}
        ${tile(_('In my hands'), day.assigned, { note: day.pending ? ngettext('and {0} where it is the customer’s turn', 'and {0} where it is the customer’s turn', day.pending) : nothing })}
        ${tile(_('Answers today'), day.answered.today, { change: against(day.answered) })}
        ${tile(_('Resolved today'), day.resolved.today, { change: against(day.resolved) })}
        ${tile(_('My first reply'), lasting(day.first_reply.median), { note: day.first_reply.number ? ngettext('median of {0} reply', 'median of {0} replies', day.first_reply.number) : nothing })}
      </div>
      <div class="board__two">${this.#list(_('Customers who wait for me'), waiting, ticketLine, _('Nobody waits for you. Well done.'))}
        <div class="board__side">${day.undelivered.length ? this.#list(_('Did not go out'), day.undelivered, openLine, '') : nothing}
        ${day.planned.length ? this.#list(_('To be sent later'), day.planned.toReversed(), openLine, '') : nothing}
        ${day.due.length ? this.#list(_('Due'), day.due, dueLine, '') : nothing}
        ${this.#list(_('To get back to'), day.next_contact, contactLine, _('You have no date with anybody today.'))}
        ${this.#list(_('Colleagues who mention me'), day.mentions, mentionLine, _('Nobody has mentioned you.'))}</div></div>`;
  }

  /** As the console has it at this moment. */
  #waiting() {
    return Object.values(state.value.tickets).filter((ticket) => ticket.assignee_id === me.value?.agent.id && ticket.waiting_since != null && ticket.status === 'open' && !ticket.spam)
      .sort((a, b) => a.waiting_since - b.waiting_since).slice(0, 20);
  }

  #list(title, items, line, none) {
    return html`<section class="board__part"><h2>${title}</h2>${items.length ? html`<ul class="todo">${items.map(line)}</ul>` : html`<p class="faint">${none}</p>`}</section>`;
  }
}

function greeting(hour, name) {
  if (hour < 5 || hour >= 18) return _('Good evening, {0}', name);
  return hour < 12 ? _('Good morning, {0}', name) : _('Good afternoon, {0}', name);
}

const ticketLine = (ticket) => html`<li><a class="todo__one" href=${`/inbox/${ticket.number}`}>${avatar(ticket.contact_name, ticket.contact_id)}
  <span class="todo__text"><b><bdi>${ticket.contact_name || _('No name')}</bdi></b> <span class="faint" dir="auto">${ticket.last_text || ticket.subject}</span></span>
  <span class=${`heat heat--${heat(now.value - ticket.waiting_since)}`}>${running(now.value - ticket.waiting_since)}</span></a></li>`;

const dueLine = (one) => {
  const ticket = state.value.tickets[one.number], late = one.due_at < now.value;
  return html`<li><a class="todo__one" href=${`/inbox/${one.number}`}><span class="todo__mark todo__mark--due">${glyph('calendar')}</span>
    <span class="todo__text"><b><bdi>${ticket?.contact_name || `#${one.number}`}</bdi></b> <span class="faint" dir="auto">${ticket?.subject ?? ''}</span></span>
    <span class=${`heat heat--${late ? 'hot' : one.due_state === 'warned' ? 'warm' : 'calm'}`} title=${exact(one.due_at)}>${late ? _('late by {0}', lasting(now.value - one.due_at)) : _('in {0}', lasting(one.due_at - now.value))}</span></a></li>`;
};

const openLine = (one) => html`<li><a class="todo__one" href=${`/inbox/${one.number}`}><span class=${one.send_at ? 'todo__mark' : 'todo__mark todo__mark--due'}>${glyph(one.send_at ? 'calendar' : 'bell')}</span>
  <span class="todo__text"><b><bdi>${one.contact_name || `#${one.number}`}</bdi></b> <span class="faint" dir="auto">${one.text}</span></span>
  ${one.send_at ? html`<time title=${exact(one.send_at)}>${dayOf(one.send_at)}, ${date(one.send_at, 'time')}</time>`
    : html`<span class="heat heat--hot">${{ held: _('Held'), unknown: _('Perhaps not'), failed: _('Failed') }[one.state]}</span>`}</a></li>`;

const contactLine = (one) => html`<li><a class="todo__one" href=${`/contacts/${one.contact_id}`}>${avatar(one.name, one.contact_id)}
  <span class="todo__text"><b><bdi>${named(one)}</bdi></b></span>
  <span class=${`due due--${due(one.next_contact_at, soon.value)}`} title=${exact(one.next_contact_at)}>${soonish(one.next_contact_at, soon.value)}</span></a></li>`;

const mentionLine = (one) => html`<li><a class="todo__one" href=${`/inbox/${one.number}`}><span class="todo__mark">${glyph('note')}</span>
  <span class="todo__text"><b><bdi>${agentName('agent', one.by)}</bdi></b> <span class="faint">#${one.number}</span> <span class="faint" dir="auto">${one.subject}</span></span>
  <time title=${exact(one.at)}>${short(one.at)}</time></a></li>`;

customElements.define('p-day', Day);
