// Find or do anything: what can be done here and now, screens, tickets and contacts that are at hand, at once from what the
// console holds; then what else the desk knows, under a heading of its own, so that nothing moves that was there already.

import { _, get } from './base.js';
import { inboxes, me, state } from './desk.js';
import { caps } from './keys.js';
import { Part, actions, avatar, go, keyOf, perform, possible, route } from './parts.js';
import { glyph } from './pictures.js';
import { ranked } from './rank.js';
import { html, live, nothing } from './vendor/lit.js';

const PAUSE = 180, SHOWN = 9, FOUND = 8; // ms before the desk is asked; lines of each sort
const RECENT = 'parley.palette';
/** Moving about in a list is no command; nor is what one is doing already. */
const NOT = /^(palette|search|back|list\.(next|previous|first|last|page_|extend_|open|select)|view\.|contacts\.(next|previous|back)|send|composer)/;

class Palette extends Part {
  static properties = { query: { state: true }, at: { state: true }, found: { state: true }, going: { state: true } };

  #timer = 0; #lines = []; #asked = '';

  constructor() {
    super();
    Object.assign(this, { query: '', at: 0, found: [], going: false });
  }

  async show() {
    if (!this.isConnected) document.querySelector('p-app').append(this);
    Object.assign(this, { query: '', at: 0, found: [], going: false });
    this.#asked = '';
    await this.updateComplete;
    const dialog = this.querySelector('dialog');
    if (dialog.open) dialog.close();
    else dialog.showModal();
    this.querySelector('input').focus();
  }

  render() {
    const groups = this.#groups(), lines = groups.flatMap((group) => group.lines);
    this.#lines = lines;
    const at = Math.min(this.at, lines.length - 1);
    return html`<dialog class="palette" aria-label=${_('Find or do anything')} @click=${this.#beside}>
      <div class="palette__box">
        <label class="palette__field">${glyph('search')}<span class="sr">${_('Find or do anything')}</span>
          <input role="combobox" aria-expanded="true" aria-controls="palette-lines" aria-autocomplete="list" aria-activedescendant=${lines.length ? `palette-${at}` : nothing}
            autocomplete="off" spellcheck="false" dir="auto" placeholder=${_('Find a ticket, a contact, or something to do…')} .value=${live(this.query)} @input=${this.#typed} @keydown=${this.#key}></label>
        <div id="palette-lines" class="palette__lines" role="listbox" aria-label=${_('Results')}>${groups.map((group) => this.#group(group, lines, at))}</div>
        ${lines.length ? nothing : html`<p class="palette__none">${this.going ? _('Searching…') : _('Nothing fits.')}</p>`}
        <p class="sr" role="status">${this.query && !this.going && !lines.length ? _('Nothing fits.') : ''}</p>
        <p class="palette__foot" aria-hidden="true"><span><kbd>↑</kbd> <kbd>↓</kbd> ${_('Choose')}</span><span><kbd>Enter</kbd> ${_('Do it')}</span><span><kbd>Esc</kbd> ${_('Close')}</span></p>
      </div></dialog>`;
  }

  #group({ title, lines }, all, at) {
    if (!lines.length) return nothing;
    return html`<div role="group" aria-label=${title} class="palette__group"><p class="palette__title" aria-hidden="true">${title}</p>
      ${lines.map((line) => this.#line(line, all.indexOf(line), at))}</div>`;
  }

  #line(line, place, at) {
    return html`<div role="option" id=${`palette-${place}`} class="palette__line" aria-selected=${place === at ? 'true' : 'false'} @click=${() => this.#do(line)} @pointermove=${() => { if (this.at !== place) this.at = place; }}>
      <span class="palette__mark">${line.mark}</span><span class="palette__text"><bdi>${line.text}</bdi>${line.more ? html` <span class="palette__more" dir="auto">${line.more}</span>` : nothing}</span>
      ${line.key ? html`<span class="palette__key" dir="ltr">${caps(line.key).map((parts) => html`<span class="caps">${parts.map((part) => html`<kbd>${part}</kbd>`)}</span>`)}</span>` : nothing}</div>`;
  }

  // --- what there is ------------------------------------------------------------------------------------------------

  #groups() {
    const here = [], everywhere = [];
    for (const one of actions.value) {
      if (NOT.test(one.name) || !possible(one)) continue;
      (one.where === 'global' ? everywhere : here).push({ id: `do ${one.name}`, text: one.text(), mark: glyph('event'), key: keyOf(one).split(', ')[0], run: () => perform(one), bonus: recent(`do ${one.name}`), later: one.where !== 'thread' });
    }
    const { number } = route.value, query = this.query;
    here.sort((a, b) => a.later - b.later);
    if (!query.trim()) {
      return [
        { title: number ? _('This ticket, #{0}', String(number)) : _('Here'), lines: here.slice(0, SHOWN) },
        { title: _('Everywhere'), lines: ranked('', everywhere, SHOWN) },
        { title: _('Tickets'), lines: tickets().slice(0, 5) },
      ].filter(({ lines }) => lines.length);
    }
    const local = [
      { title: number ? _('This ticket, #{0}', String(number)) : _('Here'), lines: ranked(query, here, 5) },
      { title: _('Everywhere'), lines: ranked(query, everywhere, 5) },
      { title: _('Tickets'), lines: ranked(query.replace(/^#/, ''), tickets(), FOUND) },
      { title: _('Contacts'), lines: ranked(query, people(), FOUND) },
    ];
    const there = new Set(local.flatMap(({ lines }) => lines.map(({ id }) => id)));
    return [...local, { title: _('Everything else'), lines: this.found.filter(({ id }) => !there.has(id)) }].filter(({ lines }) => lines.length);
  }

  #typed = (event) => {
    this.query = event.target.value;
    this.at = 0;
    this.found = [];
    clearTimeout(this.#timer);
    this.#asked = this.query.trim();
    this.going = this.#asked.length > 1;
    if (this.going) this.#timer = setTimeout(this.#search, PAUSE);
  };

  #search = async () => {
    const asked = this.#asked, number = /^#?(\d{1,15})$/.exec(asked)?.[1];
    const [numbered, named] = await Promise.all([
      number ? get(`/api/v1/tickets/${number}`, { limit: 1 }).then(({ ticket }) => [ticketLine(ticket)], () => []) : [],
      get('/api/v1/contacts', { q: asked, limit: FOUND }).then(({ items }) => items.map(contactLine), () => []),
    ]);
    if (asked !== this.#asked) return;
    this.found = [...numbered, ...named];
    this.going = false;
  };

  // --- choosing -----------------------------------------------------------------------------------------------------

  #key = (event) => {
    if (event.isComposing) return;
    const many = this.#lines.length, by = { ArrowDown: 1, ArrowUp: -1, PageDown: 5, PageUp: -5 }[event.key];
    if (by && many) {
      event.preventDefault();
      this.at = Math.abs(by) === 1 ? (this.at + by + many) % many : Math.max(0, Math.min(many - 1, this.at + by));
      this.updateComplete.then(() => this.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: 'nearest' }));
    } else if (event.key === 'Enter' && this.#lines[this.at]) {
      event.preventDefault();
      this.#do(this.#lines[this.at]);
    }
  };

  #do(line) {
    this.querySelector('dialog').close();
    remember(line.id);
    setTimeout(() => line.run()); // the focus is back where it was
  }

  #beside = (event) => {
    if (event.target.matches('dialog')) event.target.close();
  };
}

// --- lines ----------------------------------------------------------------------------------------------------------

const tickets = () => Object.values(state.value.tickets).sort((a, b) => b.last_message_at - a.last_message_at).map(ticketLine);

function ticketLine(ticket) {
  const name = ticket.contact_name || _('No name');
  return {
    id: `ticket ${ticket.number}`, text: `${name} · #${ticket.number}`, more: ticket.subject || ticket.last_text || '', also: `${ticket.number} ${ticket.subject ?? ''} ${inboxes.value[ticket.inbox_id]?.name ?? ''}`,
    mark: glyph('ticket'), run: () => go(`/inbox/${ticket.number}`), bonus: ticket.assignee_id === me.value?.agent.id ? 20 : 0,
  };
}

/** Those of the tickets that are at hand, once each. */
function people() {
  const seen = new Map();
  for (const { contact_id: id, contact_name: name } of Object.values(state.value.tickets)) if (name && !seen.has(id)) seen.set(id, contactLine({ id, name }));
  return [...seen.values()];
}

const contactLine = (one) => ({
  id: `contact ${one.id}`, text: one.name || _('No name'), more: [one.company, one.point].filter(Boolean).join(' · '), mark: avatar(one.name, one.id, 'avatar--small'), run: () => go(`/contacts/${one.id}`),
});

// --- what was done last ---------------------------------------------------------------------------------------------

function remembered() {
  try {
    return JSON.parse(localStorage.getItem(RECENT) ?? '[]');
  } catch {
    return [];
  }
}

const recent = (id) => {
  const at = remembered().indexOf(id);
  return at < 0 ? 0 : 15 - at;
};

function remember(id) {
  if (id.startsWith('do ')) localStorage.setItem(RECENT, JSON.stringify([id, ...remembered().filter((one) => one !== id)].slice(0, 8)));
}

customElements.define('p-palette', Palette);
