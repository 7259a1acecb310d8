// The contacts screen: everybody who ever wrote and whoever was put in by hand, searched, filtered and sorted by the address
// of the page, so that a list can be sent to a colleague; and one contact with everything that happened.

import { _, exact, ngettext, short } from './base.js';
import './contact.js';
import { OfContact, failed } from './contact.js';
import { agentName, agents, colourOf, hear, me, state } from './desk.js';
import './edit.js';
import { Part, action, avatar, go, route, skeleton, soon } from './parts.js';
import * as people from './people.js';
import { due, named, soonish } from './person.js';
import { glyph } from './pictures.js';
import { html, live, nothing, repeat } from './vendor/lit.js';
import { signal } from './vendor/signals-core.js';
import { introduce } from './write.js';

const PAUSE = 250; // ms after the last key before the desk is asked
const FILTERS = ['q', 'owner_id', 'next_contact', 'tag', 'company', 'has_open', 'sort'];

/** What the address asks for, as the API wants it. */
export function asked(params) {
  const query = {};
  for (const name of FILTERS) if (params.get(name)) query[name] = params.get(name);
  if (params.has('field')) query.field = params.getAll('field'); // key:value of own fields
  if (query.owner_id === 'me') query.owner_id = String(me.value.agent.id);
  if (query.next_contact) query.zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  query.sort ??= query.next_contact ? 'next_contact' : 'last_seen';
  return query;
}

/** Of the list as it is filtered; a sheet has an order of its own. */
function sheet(params) {
  const { sort: _sort, ...filters } = asked(params);
  return `/api/v1/contacts.csv?${new URLSearchParams(filters)}`;
}

const address = (params) => (params.size ? `/contacts?${params}` : '/contacts');

/** The list, as the address has it: what it was is there again when one comes back from a contact. */
const listed = signal({ of: null, items: null, next: null, wrong: '' });
let wasAt = '/contacts';

async function fetchList(of, query, cursor = null) {
  if (!cursor) listed.value = { ...listed.peek(), of, wrong: '' };
  try {
    const { items, next } = await people.list({ ...query, limit: 50, cursor });
    if (listed.peek().of !== of) return;
    listed.value = { of, items: cursor ? [...listed.peek().items, ...items] : items, next, wrong: '' };
  } catch (problem) {
    if (listed.peek().of === of) listed.value = { ...listed.peek(), items: listed.peek().items ?? [], wrong: problem.message };
  }
}

// A row is as the events tell it; the order stays until one comes back, nothing moves under the hand.
hear((frame) => {
  const row = frame.contact, { of, items } = listed.peek();
  if (items && people.RETAGS.has(frame.name) && document.querySelector('p-contact-list')) fetchList(of, asked(route.peek().query));
  if (row && items?.some((one) => one.id === row.id)) listed.value = { ...listed.peek(), items: items.map((one) => (one.id === row.id ? { ...one, ...row } : one)) };
});

class Contacts extends Part {
  render() {
    const id = Number(route.value.params.id);
    return id ? html`<p-contact-page .contact=${id}></p-contact-page>` : html`<p-contact-list></p-contact-list>`;
  }
}

// --- the list -------------------------------------------------------------------------------------------------------

class List extends Part {
  static properties = { more: { state: true }, at: { state: true } };

  #timer = 0; #typed = null;

  connectedCallback() {
    super.connectedCallback();
    listed.value = { ...listed.peek(), of: null };
  }

  render() {
    const params = route.value.query, of = params.toString();
    wasAt = address(params);
    if (listed.value.of !== of) queueMicrotask(() => listed.peek().of !== of && fetchList(of, asked(route.peek().query)));
    const { items, next, wrong } = listed.value, filtered = params.has('field') || FILTERS.some((name) => name !== 'sort' && params.get(name));
    return html`<section class="contacts" aria-labelledby="contacts-title">
      <header class="contacts__head"><h1 id="contacts-title" tabindex="-1">${_('Contacts')}</h1>
        <div class="contacts__do">
          ${people.mayExport() ? html`<a class="button button--plain" href=${sheet(params)} download>${glyph('download')}${_('Export CSV')}</a>` : nothing}
          ${people.mayChange() ? html`<button class="button" @click=${() => introduce()}>${glyph('plus')}${_('New contact')}</button>` : nothing}</div></header>
      ${this.#filters(params)}
      ${wrong ? failed(wrong, () => fetchList(of, asked(params))) : items === null ? skeleton() : items.length ? this.#table(items, params) : empty(filtered)}
      ${next && items?.length ? html`<button class="button button--plain contacts__more" @click=${() => fetchList(of, asked(params), next)}>${_('Show more')}</button>` : nothing}
    </section>`;
  }

  #filters(params) {
    const set = (name) => (event) => this.#set(name, event.target.type === 'checkbox' ? (event.target.checked ? 'true' : '') : event.target.value);
    const mine = String(me.value?.agent.id), option = (value, word, now) => html`<option value=${value} .selected=${value === (now ?? '')}>${word}</option>`;
    return html`<form class="filters" role="search" aria-label=${_('Find contacts')} @submit=${(event) => event.preventDefault()}>
      <label class="filters__search">${glyph('search')}<span class="sr">${_('Search')}</span>
        <input type="search" id="contacts-q" dir="auto" autocomplete="off" placeholder=${_('Name, address, number, company, field…')} .value=${live(this.#typed ?? params.get('q') ?? '')} @input=${this.#type}></label>
      <label><span class="sr">${_('Owner')}</span><select @change=${set('owner_id')}>${option('', _('Any owner'), params.get('owner_id'))}${option('me', _('Mine'), params.get('owner_id'))}
        ${Object.values(agents.value).filter((one) => !one.disabled && String(one.id) !== mine).map((one) => option(String(one.id), one.name, params.get('owner_id')))}</select></label>
      <label><span class="sr">${_('Next contact')}</span><select @change=${set('next_contact')}>${Object.entries({ '': _('Any next contact'), overdue: _('Overdue'), today: _('Due today'), week: _('Due this week') })
        .map(([value, word]) => option(value, word, params.get('next_contact')))}</select></label>
      <label><span class="sr">${_('Tag')}</span><select @change=${set('tag')}>${option('', _('Any tag'), params.get('tag'))}
        ${Object.values(state.value.tags).map((one) => option(one.name, one.name, params.get('tag')))}</select></label>
      ${people.fields().filter((field) => field.type === 'choice' || field.type === 'bool').map((field) => this.#field(field, params))}
      <label class="filters__open"><input type="checkbox" .checked=${live(params.get('has_open') === 'true')} @change=${set('has_open')}> ${_('With open tickets')}</label>
      <label class="filters__sort"><span class="sr">${_('Order')}</span><select @change=${set('sort')}>${Object.entries({ last_seen: _('Last heard of'), name: _('By name'), newest: _('Newest first'), next_contact: _('Next contact') })
        .map(([value, word]) => option(value, word, asked(params).sort))}</select></label>
      ${params.get('company') ? html`<button type="button" class="chip chip--do" @click=${() => this.#set('company', '')}>${_('Company: {0}', params.get('company'))} ×</button>` : nothing}
    </form>`;
  }

  /** One of the desk's own fields, where there is something to choose. */
  #field({ key, label, type, choices }, params) {
    const chosen = params.getAll('field').find((one) => one.startsWith(`${key}:`))?.slice(key.length + 1) ?? '';
    const words = type === 'bool' ? [['true', _('Yes')], ['false', _('No')]] : choices.map((one) => [one, one]);
    const set = (event) => {
      const query = new URLSearchParams(route.value.query), others = query.getAll('field').filter((one) => !one.startsWith(`${key}:`));
      query.delete('field');
      for (const one of [...others, ...(event.target.value ? [`${key}:${event.target.value}`] : [])]) query.append('field', one);
      go(address(query));
    };
    return html`<label><span class="sr">${label}</span><select @change=${set}><option value="">${_('{0}: any', label)}</option>${words.map(([value, word]) =>
      html`<option value=${value} .selected=${value === chosen}>${label}: ${word}</option>`)}</select></label>`;
  }

  #type = (event) => {
    this.#typed = event.target.value;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      const q = this.#typed.trim();
      this.#typed = null;
      this.#set('q', q);
    }, PAUSE);
  };

  #set(name, value) {
    const params = new URLSearchParams(route.value.query);
    if (value) params.set(name, value);
    else params.delete(name);
    go(address(params));
  }

  #table(items, params) {
    const all = !listed.value.next;
    return html`<p class="sr" role="status">${ngettext('{0} contact', '{0} contacts', items.length)}${all ? '' : '+'}</p>
      <table class="people"><caption class="sr">${_('Contacts')}</caption>
      <thead><tr><th scope="col">${_('Name')}</th><th scope="col">${_('E-mail or phone')}</th><th scope="col">${_('Owner')}</th><th scope="col">${_('Next contact')}</th>
        <th scope="col">${_('Tags')}</th><th scope="col">${_('Last heard of')}</th></tr></thead>
      <tbody>${repeat(items, (one) => one.id, (one) => this.#row(one, params))}</tbody></table>`;
  }

  #row(one) {
    const next = one.next_contact_at;
    return html`<tr class=${one.blocked ? 'people__row people__row--blocked' : 'people__row'} @click=${(event) => !event.target.closest('a') && !getSelection().toString() && event.currentTarget.querySelector('a').click()}>
      <th scope="row"><span class="people__who">${avatar(one.name, one.id)}<span class="people__name"><a href=${`/contacts/${one.id}`}><bdi>${named(one)}</bdi></a>
        <span class="faint" dir="auto">${[one.title, one.company].filter(Boolean).join(' · ')}</span></span>
        ${one.blocked ? html`<span class="mark mark--wrong">${_('Blocked')}</span>` : nothing}</span></th>
      <td class="people__point" data-label=${_('E-mail or phone')}><bdi dir="ltr">${one.point ?? ''}</bdi></td>
      <td data-label=${_('Owner')}>${one.owner_id == null ? nothing : html`<bdi>${one.owner_id === me.value?.agent.id ? _('You') : agentName('agent', one.owner_id)}</bdi>`}</td>
      <td data-label=${_('Next contact')}>${next ? html`<span class=${`due due--${due(next, soon.value)}`} title=${exact(next)}>${soonish(next, soon.value)}</span>` : nothing}</td>
      <td data-label=${_('Tags')}><span class="chips">${(one.tags ?? []).slice(0, 3).map((tag) => html`<span class="chip chip--of-tag" data-colour=${colourOf(tag)}><bdi>${tag}</bdi></span>`)}${(one.tags ?? []).length > 3 ? html`<span class="chip">+${one.tags.length - 3}</span>` : nothing}</span></td>
      <td class="people__seen" data-label=${_('Last heard of')}>${one.seen_at ? html`<time datetime=${new Date(one.seen_at).toISOString()} title=${exact(one.seen_at)}>${short(one.seen_at)}</time>` : nothing}</td></tr>`;
  }
}

const empty = (filtered) => html`<div class="empty">${glyph('person')}<p>${filtered ? _('Nobody fits this search.') : _('There are no contacts yet. Whoever writes to you appears here by themselves.')}</p>
  ${filtered ? html`<a class="button button--plain" href="/contacts">${_('Show everybody')}</a>` : nothing}</div>`;

// --- one contact ----------------------------------------------------------------------------------------------------

class ContactPage extends OfContact {
  render() {
    const { contact, failed: why } = people.person(this.contact);
    return html`<article class="one">
      <header class="one__head"><a class="tool" href=${wasAt} aria-label=${_('Back to the contacts')}><svg class="icon icon--turns" viewBox="0 0 24 24" aria-hidden="true"><path d="M15 5l-7 7 7 7"/></svg></a>
        <h1 tabindex="-1" dir="auto">${contact ? named(contact) : why ? _('Contact') : _('Loading…')}</h1></header>
      ${why && !contact ? failed(why, () => people.fetchOne(this.contact)) : html`<div class="one__body">
        <div class="one__card"><p-contact-card .contact=${this.contact} page></p-contact-card></div>
        <div class="one__more">${contact ? this.#open(contact) : nothing}<p-visits .contact=${this.contact}></p-visits><p-history .contact=${this.contact}></p-history></div></div>`}
    </article>`;
  }

  #open(contact) {
    if (!contact.open?.length) return nothing;
    return html`<section class="part" aria-labelledby="open-title"><div class="part__head"><h2 id="open-title">${_('Open tickets')}</h2></div>
      <ul class="opens">${contact.open.map((one) => html`<li><a class="opens__one" href=${`/inbox/${one.number}`}><span class="opens__number">#${one.number}</span>
        <span class="opens__subject" dir="auto">${one.subject || _('No subject')}</span><time title=${exact(one.last_message_at)}>${short(one.last_message_at)}</time></a></li>`)}</ul></section>`;
  }
}

// --- keys -----------------------------------------------------------------------------------------------------------

const rows = () => [...document.querySelectorAll('.people__row th a')];

function move(by) {
  const all = rows(), at = all.indexOf(document.activeElement);
  if (!all.length) return false;
  all[at < 0 ? 0 : Math.max(0, Math.min(all.length - 1, at + by))].focus();
  return true;
}

function find() {
  const field = document.getElementById('contacts-q');
  field?.focus();
  return Boolean(field);
}

action({ name: 'contacts.next', key: 'j, ArrowDown', where: 'contacts', text: () => _('Next contact in the list'), run: () => move(1) });
action({ name: 'contacts.previous', key: 'k, ArrowUp', where: 'contacts', text: () => _('Previous contact in the list'), run: () => move(-1) });
action({ name: 'contacts.new', key: 'n', where: 'contacts', text: () => _('New contact'), run: () => introduce(), able: people.mayChange });
action({ name: 'contacts.search', key: '/', where: 'contacts', text: () => _('Search'), run: find });
action({
  name: 'contacts.back', key: 'Escape', where: 'contacts', text: () => _('Back to the list'),
  run: () => (route.value.params.id ? go(wasAt) : false),
});

customElements.define('p-contacts', Contacts);
customElements.define('p-contact-list', List);
customElements.define('p-contact-page', ContactPage);
