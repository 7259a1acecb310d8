// What happened with one person, over all their tickets and every channel, newest first; and the pages they look at right
// now. For the contact panel and the contact's page.

import { _, date, day, exact, ngettext, short } from './base.js';
import { agentName, inboxes } from './desk.js';
import { Part, path, skeleton, soon } from './parts.js';
import * as people from './people.js';
import { purpose } from './person.js';
import { glyph } from './pictures.js';
import { html, nothing, repeat } from './vendor/lit.js';

const KINDS = () => ({ all: _('Everything'), ticket: _('Tickets'), said: _('Messages'), note: _('Notes'), visit: _('Page visits') });
const OF = { ticket: ['ticket', 'feedback'], said: ['message'], note: ['note', 'contact_note'], visit: ['visit'] };

const key = (item) => `${item.kind} ${item.id ?? item.at}`;

class History extends Part {
  static properties = { contact: { type: Number }, number: { type: Number }, items: { state: true }, only: { state: true }, going: { state: true }, wrong: { state: true } };

  #of = ''; #next = null;

  render() {
    this.#look();
    const shown = this.#shown();
    return html`<section class="part history" aria-labelledby="history-title">
      <div class="part__head"><h2 id="history-title">${_('History')}</h2>
        <label class="history__only"><span class="sr">${_('Show only')}</span><select @change=${(event) => { this.only = event.target.value; }}>
          ${Object.entries(KINDS()).map(([value, word]) => html`<option value=${value}>${word}</option>`)}</select></label></div>
      ${this.items === null ? (this.wrong ? html`<p class="edit__wrong" role="alert" dir="auto">${this.wrong}</p>` : skeleton()) : nothing}
      <ol class="history__list">${repeat(this.#days(shown), (one) => one.key, (one) => (one.day ? html`<li class="history__day">${one.day}</li>` : this.#item(one.item)))}</ol>
      ${this.items && !shown.length && !this.#next ? html`<p class="faint">${_('Nothing yet.')}</p>` : nothing}
      ${this.#next ? html`<button class="quiet" ?disabled=${this.going} @click=${() => this.#load(this.#next)}>${_('Show older')}</button>` : nothing}
    </section>`;
  }

  constructor() {
    super();
    this.items = null;
    this.only = 'all';
  }

  #shown() {
    const kinds = OF[this.only];
    return (this.items ?? []).filter((item) => !kinds || kinds.includes(item.kind));
  }

  #look() {
    const of = `${this.contact} ${people.person(this.contact).news}`;
    if (of === this.#of) return;
    if (!this.#of.startsWith(`${this.contact} `)) this.items = this.#next = null;
    this.#of = of;
    this.#load();
  }

  async #load(cursor) {
    const of = this.contact;
    this.going = true;
    this.wrong = '';
    try {
      const { items, next } = await people.timeline(of, cursor);
      if (of !== this.contact) return;
      const had = this.items ?? [], fresh = new Set(items.map(key));
      const rest = had.filter((item) => !fresh.has(key(item)));
      this.items = cursor ? [...had, ...items] : [...items, ...rest];
      if (cursor || !had.length) this.#next = next; // what was read further down stays read
    } catch (problem) {
      this.wrong = problem.message;
    } finally {
      this.going = false;
    }
  }

  #days(items) {
    let last = null;
    return items.flatMap((item) => {
      const text = day(item.at), mark = text === last ? [] : [{ key: `day ${text}`, day: text }];
      last = text;
      return [...mark, { key: key(item), item }];
    });
  }

  #item(item) {
    const { picture, what, text } = told(item);
    const number = item.ticket?.number;
    return html`<li class=${`happened happened--${item.kind}`}>
      <span class="happened__mark">${glyph(picture)}</span>
      <div class="happened__body"><p class="happened__head">${what}
        ${number ? html` <a href=${path(number)} aria-current=${number === this.number ? 'true' : nothing}><bdi dir="ltr">#${number}</bdi></a>` : nothing}
        <time datetime=${new Date(item.at).toISOString()} title=${exact(item.at)}>${date(item.at, 'time')}</time></p>
        ${text ? html`<p class="happened__text" dir="auto">${text}</p>` : nothing}</div></li>`;
  }
}

/** One thing that happened, as a line and the words that belong to it. */
function told({ kind, name, by, ticket, message, note, contact_note: about, feedback, visit, payload }) {
  const who = by?.kind === 'agent' || by?.kind === 'bot' ? agentName(by.kind, by.id) : _('The desk');
  const inbox = inboxes.value[message?.inbox_id ?? ticket?.inbox_id]?.name;
  const through = inbox ? html`<span class="faint">· <bdi>${inbox}</bdi></span>` : nothing;
  switch (kind) {
    case 'ticket': return { picture: 'ticket', what: html`${_('A new ticket')} ${through}`, text: ticket?.subject };
    case 'message': return message.direction === 'incoming' ? { picture: 'chat', what: html`${_('They wrote')} ${through}`, text: said(message) }
      : { picture: 'sent', what: html`${_('{0} wrote to them', agentName(message.author_kind, message.author_id))} ${through}`, text: said(message) };
    case 'note': return { picture: 'note', what: _('{0} wrote a note', who), text: note?.text };
    case 'contact_note': return { picture: 'note', what: _('{0} wrote a note about them', who), text: about?.text };
    case 'feedback': return { picture: 'star', what: feedback?.score ? _('They gave {0} of 5', String(feedback.score)) : _('They left feedback'), text: feedback?.text };
    case 'visit': return { picture: 'globe', what: _('Looked at a page'), text: visit.title || visit.page };
    default: return { picture: 'event', what: event(name, who, payload ?? {}) };
  }
}

const said = (message) => (message.deleted ? _('This message was deleted.') : message.text + (message.cut ? '…' : ''));

function event(name, who, payload) {
  switch (name) {
    case 'contact.created': return _('First known');
    case 'contact.changed': return _('{0} changed what is known of them', who);
    case 'contact_point.added': return _('A contact point was added');
    case 'contact_point.removed': return _('A contact point was removed');
    case 'contact.tagged': return _('{0} added a tag', who);
    case 'contact.untagged': return _('{0} took a tag off', who);
    case 'consent.given': return _('They agreed: {0}', purpose(payload.purpose));
    case 'consent.refused': return _('They refused: {0}', purpose(payload.purpose));
    case 'ticket.assigned': return payload.to == null ? _('{0} put the ticket back', who) : _('{0} has the ticket now', agentName('agent', payload.to));
    case 'ticket.resolved': return _('{0} resolved the ticket', who);
    case 'ticket.reopened': return _('The ticket was opened again');
    case 'ticket.snoozed': return _('{0} put the ticket aside', who);
    case 'ticket.pending': return _('It is the customer’s turn');
    case 'ticket.moved': return _('{0} moved the ticket to another team', who);
    case 'ticket.priority_changed': return _('{0} changed the priority', who);
    case 'ticket.marked_spam': return payload.spam === false ? _('{0} took the mark of spam off', who) : _('{0} marked it as spam', who);
    case 'ticket.handed_off': return payload.to === 'agent' ? _('The bot handed over to an agent') : _('The bot took over');
    case 'ticket.merged': return _('{0} merged the ticket', who);
    case 'ticket.split': return _('{0} split the ticket', who);
    case 'delivery.failed': return _('A message could not be delivered');
    case 'visitor.identified': return _('They signed in on the website');
    default: return name.replace(/[._]/g, ' ');
  }
}

// --- page visits ----------------------------------------------------------------------------------------------------

const HERE = 5 * 60_000; // so long after the last sign they still count as being there

/** Where they are on the website, and the way there. Nothing for somebody who was never seen on one. */
class Visits extends Part {
  static properties = { contact: { type: Number }, session: { state: true } };

  #of = '';

  render() {
    this.#look();
    const session = this.session;
    if (!session?.seen_at) return nothing;
    const here = soon.value - session.seen_at < HERE, [first, ...rest] = session.items;
    return html`<section class="part visits" aria-labelledby="visits-title">
      <div class="part__head"><h2 id="visits-title">${_('On the website')}</h2><span class=${here ? 'mark mark--verified' : 'mark'}>${here ? _('Now') : short(session.seen_at)}</span></div>
      ${first ? page(first, true) : session.page ? page({ page: session.page, title: session.title }, true) : nothing}
      ${rest.length ? html`<details><summary>${ngettext('{0} page before', '{0} pages before', rest.length)}</summary><ol>${rest.map((one) => html`<li>${page(one)}</li>`)}</ol></details>` : nothing}
      ${session.referrer ? html`<p class="faint visits__from">${_('Came from')} <bdi dir="ltr">${bare(session.referrer)}</bdi></p>` : nothing}
    </section>`;
  }

  #look() {
    const of = `${this.contact} ${people.person(this.contact).news}`;
    if (of === this.#of) return;
    if (!this.#of.startsWith(`${this.contact} `)) this.session = null;
    this.#of = of;
    const asked = this.contact;
    people.visits(asked).then((session) => { if (asked === this.contact) this.session = session; }, () => {});
  }
}

const bare = (url) => url.replace(/^https?:\/\/(www\.)?/i, '').replace(/\/$/, '');

/** Somebody else's address: followed only when it is one of the web, and then it learns nothing of us. */
function page({ page: url, title, at }, now = false) {
  const text = title || bare(url);
  return html`<p class=${now ? 'visit visit--now' : 'visit'}>${/^https?:\/\//i.test(url) ? html`<a href=${url} target="_blank" rel="noopener noreferrer" title=${url}><bdi>${text}</bdi></a>` : html`<bdi>${text}</bdi>`}
    ${at ? html`<time datetime=${new Date(at).toISOString()} title=${exact(at)}>${date(at, 'time')}</time>` : nothing}</p>`;
}

customElements.define('p-history', History);
customElements.define('p-visits', Visits);
