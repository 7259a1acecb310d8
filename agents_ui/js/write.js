// Two sheets: a new message to a contact, through whichever inbox can reach them, and a new contact made by hand. Opened from
// everywhere with `compose` and `introduce`; what was begun is still there when a sheet was closed by mistake.

import { _, clientId } from './base.js';
import { agents, may, me, preferences, tell } from './desk.js';
import { Part, avatar, go } from './parts.js';
import * as people from './people.js';
import { LANGUAGES, language, named } from './person.js';
import { glyph } from './pictures.js';
import { html, live, nothing } from './vendor/lit.js';

const PAUSE = 200; // ms after the last key before the desk is asked

function sheet(tag) {
  let element = document.querySelector(tag);
  if (!element) {
    element = document.createElement(tag);
    document.querySelector('p-app').append(element);
  }
  return element;
}

/** @param {{contact?: object}} given  without a contact it is chosen first */
export const compose = (given = {}) => sheet('p-compose').show(given);

/** @param {{name?: string, then?: (contact: object) => void}} given  what was searched for becomes the name */
export const introduce = (given = {}) => sheet('p-introduce').show(given);

// --- a new message --------------------------------------------------------------------------------------------------

class Compose extends Part {
  static properties = {
    contact: { state: true }, found: { state: true }, at: { state: true }, query: { state: true }, ways: { state: true }, way: { state: true },
    wrong: { state: true }, going: { state: true }, text: { state: true }, subject: { state: true },
  };

  #timer = 0; #id = clientId();

  constructor() {
    super();
    Object.assign(this, { contact: null, found: null, at: 0, query: '', ways: null, way: null, wrong: {}, text: '', subject: '' });
  }

  async show({ contact = null } = {}) {
    if (contact && contact.id !== this.contact?.id) this.#choose(contact);
    await this.updateComplete;
    const dialog = this.querySelector('dialog');
    if (!dialog.open) dialog.showModal();
    this.#focus();
  }

  render() {
    return html`<dialog class="sheet compose" aria-labelledby="compose-title">
      <header class="compose__head"><h2 id="compose-title">${_('New message')}</h2>
        <button class="tool" aria-label=${_('Close')} @click=${this.#close}>${glyph('close')}</button></header>
      ${this.contact ? this.#letter() : this.#search()}
    </dialog>`;
  }

  // --- to whom ------------------------------------------------------------------------------------------------------

  #search() {
    const found = this.found ?? [];
    return html`<div class="combo">
      <label class="field__label" for="compose-to">${_('To')}</label>
      <input id="compose-to" role="combobox" aria-expanded=${found.length ? 'true' : 'false'} aria-controls="compose-found" aria-autocomplete="list" autocomplete="off" dir="auto"
        aria-activedescendant=${found[this.at] ? `compose-${found[this.at].id}` : nothing} placeholder=${_('Name, e-mail or phone')} .value=${live(this.query)}
        @input=${this.#typed} @keydown=${this.#key}>
      <ul id="compose-found" role="listbox" aria-label=${_('Contacts')}>${found.map((one, at) => html`<li role="option" id=${`compose-${one.id}`} class="pick" aria-selected=${at === this.at ? 'true' : 'false'}
        @click=${() => this.#choose(one)}>${avatar(one.name, one.id)}<span class="pick__text"><bdi>${named(one)}</bdi><span class="faint" dir="auto">${[one.company, one.point].filter(Boolean).join(' · ')}</span></span></li>`)}</ul>
      <p class="sr" role="status">${this.found && !found.length ? _('Nobody was found.') : ''}</p>
      ${this.found && !found.length ? html`<p class="faint">${_('Nobody was found.')}</p>` : nothing}
      ${this.found && may('contacts.change') ? html`<button class="button button--plain" @click=${this.#introduce}>${glyph('plus')}${this.query.trim() ? _('New contact “{0}”', this.query.trim()) : _('New contact')}</button>` : nothing}
    </div>`;
  }

  #typed = (event) => {
    this.query = event.target.value;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(this.#find, PAUSE);
  };

  #find = async () => {
    const query = this.query.trim();
    try {
      const { items } = await people.list(query ? { q: query, limit: 8 } : { sort: 'last_seen', limit: 8 });
      if (query !== this.query.trim()) return;
      this.found = items;
      this.at = 0;
    } catch {
      this.found = [];
    }
  };

  #key = (event) => {
    if (event.isComposing) return;
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key], many = this.found?.length ?? 0;
    if (by && many) {
      event.preventDefault();
      this.at = (this.at + by + many) % many;
    } else if (event.key === 'Enter' && this.found?.[this.at]) {
      event.preventDefault();
      this.#choose(this.found[this.at]);
    }
  };

  #introduce = () => introduce({ name: this.query.trim(), then: (contact) => this.show({ contact }) });

  async #choose(contact) {
    Object.assign(this, { contact, ways: null, way: null, wrong: {} });
    try {
      const ways = await people.ways(contact.id);
      if (this.contact !== contact) return;
      this.ways = ways;
      this.way = ways.find((one) => one.able) ?? null;
    } catch (problem) {
      this.wrong = { '': problem.message };
    }
    this.#focus();
  }

  async #focus() {
    await this.updateComplete;
    if (!this.contact && this.found === null) this.#find();
    this.querySelector(this.contact ? (this.way?.subject ? '#compose-subject' : '#compose-text') : '#compose-to')?.focus();
  }

  // --- through what, and what ---------------------------------------------------------------------------------------

  #letter() {
    return html`<form class="compose__form" @submit=${this.#send} @keydown=${(event) => { if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) this.#send(event); }}>
      <div class="compose__to"><span class="field__label">${_('To')}</span>${avatar(this.contact.name, this.contact.id)}<bdi>${named(this.contact)}</bdi>
        <button type="button" class="quiet" @click=${() => { this.contact = null; this.#focus(); }}>${_('Somebody else')}</button></div>
      ${this.#through()}
      ${this.ways && !this.way ? nothing : this.#words()}
      ${this.#mistake('')}
      <div class="sheet__do">${this.ways && !this.way ? nothing : html`<button class="button" ?disabled=${!this.way || this.going}>${glyph('sent')}${this.going ? _('Sending…') : _('Send')}</button>`}
        <button type="button" class="button button--plain" @click=${this.#close}>${this.ways && !this.way ? _('Close') : _('Cancel')}</button></div>
    </form>`;
  }

  #words() {
    return html`${this.way?.subject ? html`<div class="field"><label class="field__label" for="compose-subject">${_('Subject')}</label>
        <input id="compose-subject" dir="auto" maxlength="200" .value=${live(this.subject)} aria-invalid=${this.wrong.subject ? 'true' : nothing} @input=${(event) => { this.subject = event.target.value; }}>
        ${this.#mistake('subject')}</div>` : nothing}
      <div class="field"><label class="field__label" for="compose-text">${_('Message')}</label>
        <textarea id="compose-text" rows="7" dir="auto" required .value=${live(this.text)} aria-invalid=${this.wrong.text ? 'true' : nothing} @input=${(event) => { this.text = event.target.value; }}></textarea>
        ${this.#mistake('text')}</div>`;
  }

  #through() {
    if (!this.ways) return this.wrong[''] ? nothing : html`<p class="faint">${_('Loading…')}</p>`;
    const able = this.ways.filter((one) => one.able), not = this.ways.filter((one) => !one.able);
    if (!able.length) {
      return html`<div class="compose__none" role="alert"><p><b>${_('No inbox can reach them.')}</b></p>
        <ul>${not.map((one) => html`<li><bdi>${one.name}</bdi>: <span dir="auto">${one.why}</span></li>`)}</ul>
        ${may('inboxes.manage') ? html`<p><a href="/settings/inboxes">${_('Look at the inboxes')}</a></p>` : nothing}</div>`;
    }
    const name = (one) => `${one.inbox_id} ${one.point_id ?? ''}`;
    return html`<fieldset class="ways"><legend class="field__label">${_('Through')}</legend>
      ${able.map((one) => html`<label class="way"><input type="radio" name="way" value=${name(one)} .checked=${this.way === one} @change=${() => { this.way = one; }}>
        <span class="way__text"><bdi>${one.name}</bdi><span class="faint" dir="ltr">${one.shown ?? ''}</span></span></label>`)}
      ${not.length ? html`<details class="ways__not"><summary>${_('What cannot reach them')}</summary><ul>${not.map((one) => html`<li><bdi>${one.name}</bdi>: <span dir="auto">${one.why}</span></li>`)}</ul></details>` : nothing}
    </fieldset>`;
  }

  #mistake(field) {
    return this.wrong[field] ? html`<p class="edit__wrong" role="alert" dir="auto">${this.wrong[field]}</p>` : nothing;
  }

  #send = async (event) => {
    event.preventDefault();
    if (!this.text.trim() || !this.way || this.going) return;
    let again = false;
    this.going = true;
    const { inbox_id, point_id, subject } = this.way;
    const body = { inbox_id, text: this.text, hold: preferences.value.undo_seconds ?? 5, ...(point_id && { point_id }), ...(subject && this.subject.trim() && { subject: this.subject.trim() }) };
    try {
      const ticket = await people.write(this.contact.id, body, this.#id);
      this.#close();
      Object.assign(this, { contact: null, found: null, query: '', text: '', subject: '', wrong: {} });
      tell(_('Your message is on its way. It is ticket #{0}.', String(ticket.number)));
      go(`/inbox/${ticket.number}`);
    } catch (problem) {
      this.wrong = mistakes(problem);
      again = problem.passing; // the same message: it is sent once however often one tries
    }
    if (!again) this.#id = clientId();
    this.going = false;
  };

  #close = () => this.querySelector('dialog').close();
}

/** What is wrong, by field; what belongs to none stands under ''. */
export function mistakes(problem, known = ['subject', 'text', 'name', 'company', 'language']) {
  const found = {};
  for (const { path: field, text } of problem.body?.errors ?? []) {
    const place = known.includes(field) || /^(points\.\d|fields\.)/.test(field ?? '') ? field : '';
    found[place] ??= text;
  }
  return Object.keys(found).length ? found : { '': problem.message };
}

// --- a new contact --------------------------------------------------------------------------------------------------

class Introduce extends Part {
  static properties = { wrong: { state: true }, going: { state: true }, name: { state: true } };

  #then = null; #id = clientId();

  constructor() {
    super();
    this.wrong = {};
  }

  async show({ name = '', then = null } = {}) {
    this.#then = then;
    this.wrong = {};
    await this.updateComplete;
    const dialog = this.querySelector('dialog');
    if (!dialog.open) dialog.showModal();
    if (name) this.querySelector(name.includes('@') ? '#new-email' : /^[+\d][\d\s()-]+$/.test(name) ? '#new-phone' : '#new-name').value = name;
    this.querySelector('#new-name').focus();
  }

  render() {
    const required = people.fields().filter((one) => one.required);
    return html`<dialog class="sheet introduce" aria-labelledby="introduce-title">
      <header class="compose__head"><h2 id="introduce-title">${_('New contact')}</h2>
        <button class="tool" aria-label=${_('Close')} @click=${this.#close}>${glyph('close')}</button></header>
      <form class="introduce__form" novalidate @submit=${this.#create}>
        ${this.#field('name', _('Name'), { required: true, wide: true, autocomplete: 'off' })}
        ${this.#field('points.email', _('E-mail'), { id: 'email', type: 'email', dir: 'ltr' })}
        ${this.#field('points.phone', _('Phone'), { id: 'phone', type: 'tel', dir: 'ltr' })}
        ${this.#field('company', _('Company'), {})}
        ${this.#field('title', _('Job title'), {})}
        <div class="field"><label class="field__label" for="new-language">${_('Language')}</label><select id="new-language" name="language"><option value="">–</option>
          ${LANGUAGES.map((code) => [code, language(code)]).sort((a, b) => a[1].localeCompare(b[1])).map(([code, word]) => html`<option value=${code}>${word}</option>`)}</select></div>
        <div class="field"><label class="field__label" for="new-owner">${_('Owner')}</label><select id="new-owner" name="owner"><option value="">${_('Nobody')}</option>
          ${Object.values(agents.value).filter((one) => !one.disabled).map((one) => html`<option value=${one.id}>${one.id === me.value?.agent.id ? _('{0} (me)', one.name) : one.name}</option>`)}</select></div>
        ${required.map((one) => this.#own(one))}
        ${this.wrong[''] ? html`<p class="edit__wrong wide" role="alert" dir="auto">${this.wrong['']}</p>` : nothing}
        <div class="sheet__do wide"><button class="button" ?disabled=${this.going}>${_('Save')}</button>
          <button type="button" class="button button--plain" @click=${this.#close}>${_('Cancel')}</button></div>
      </form></dialog>`;
  }

  #field(name, label, { id = name, type = 'text', dir = 'auto', required = false, wide = false }) {
    const wrong = this.wrong[name];
    return html`<div class=${wide ? 'field wide' : 'field'}><label class="field__label" for=${`new-${id}`}>${label}</label>
      <input id=${`new-${id}`} name=${id} type=${type} dir=${dir} autocomplete="off" aria-required=${required ? 'true' : nothing} aria-invalid=${wrong ? 'true' : nothing} aria-describedby=${wrong ? `new-${id}-wrong` : nothing}>
      ${wrong ? html`<p class="edit__wrong" id=${`new-${id}-wrong`} dir="auto">${wrong}</p>` : nothing}</div>`;
  }

  #own(field) {
    const name = `fields.${field.key}`, wrong = this.wrong[name], id = `new-own-${field.key}`;
    const control = field.type === 'choice' || field.type === 'bool'
      ? html`<select id=${id} name=${name} aria-invalid=${wrong ? 'true' : nothing}><option value="">–</option>${field.type === 'bool'
        ? html`<option value="true">${_('Yes')}</option><option value="false">${_('No')}</option>` : field.choices.map((one) => html`<option>${one}</option>`)}</select>`
      : html`<input id=${id} name=${name} type=${field.type} step=${field.type === 'number' ? 'any' : nothing} dir="auto" autocomplete="off" aria-invalid=${wrong ? 'true' : nothing}>`;
    return html`<div class="field"><label class="field__label" for=${id}>${field.label}</label>${control}${wrong ? html`<p class="edit__wrong" dir="auto">${wrong}</p>` : nothing}</div>`;
  }

  #create = async (event) => {
    event.preventDefault();
    if (this.going) return;
    const given = Object.fromEntries(new FormData(event.target)), points = [];
    for (const kind of ['email', 'phone']) if (given[kind].trim()) points.push({ kind, value: given[kind].trim() });
    const own = {};
    for (const { key, type } of people.fields()) {
      const value = (given[`fields.${key}`] ?? '').trim();
      if (value) own[key] = type === 'number' ? Number(value) : type === 'bool' ? value === 'true' : value;
    }
    const body = { name: given.name.trim(), points, fields: own };
    for (const field of ['company', 'title', 'language']) if (given[field].trim()) body[field] = given[field].trim();
    if (given.owner) body.owner_id = Number(given.owner);
    if (!body.name) {
      this.wrong = { name: _('Give them a name.') };
    } else {
      this.going = true;
      this.wrong = await people.create(body, this.#id).then((contact) => this.#made(contact, event.target), (problem) => this.#mistaken(problem, points));
      this.going = false;
    }
    await this.updateComplete;
    this.querySelector('[aria-invalid]')?.focus();
  };

  #mistaken(problem, points) {
    const found = mistakes(problem, ['name', 'company', 'title', 'language']);
    if (!problem.passing) this.#id = clientId();
    return Object.fromEntries(Object.entries(found).map(([field, text]) => [/^points\.\d/.test(field) ? `points.${points[Number(field.split('.')[1])]?.kind}` : field, text]));
  }

  #made(contact, form) {
    this.#id = clientId();
    form.reset();
    this.#close();
    if (this.#then) this.#then(contact);
    else go(`/contacts/${contact.id}`);
    return {};
  }

  #close = () => this.querySelector('dialog').close();
}

customElements.define('p-compose', Compose);
customElements.define('p-introduce', Introduce);
