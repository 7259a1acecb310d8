// Everything about one contact: who, how sure, every way to reach them, what is known, notes. The panel beside a thread and
// the contact's own page (contacts.js) are made of these pieces.

import { _, exact, ngettext, short } from './base.js';
import './edit.js';
import { agentName, agents, colourOf, me, state, tell } from './desk.js';
import { Part, avatar, skeleton, soon } from './parts.js';
import * as people from './people.js';
import { glyph } from './pictures.js';
import { clock, known, place } from './zones.js';
import { LANGUAGES, current, due, language, local, morning, named, point, purpose, reach, soonish, sureness, surest, valued } from './person.js';
import './history.js';
import { html, nothing, repeat } from './vendor/lit.js';

const compose = (contact) => import('./write.js').then((sheets) => sheets.compose({ contact }), () => tell(_('The desk cannot be reached. Check your connection.')));

/** Who looks at a contact: keeps them fresh as long as they are shown. */
export class OfContact extends Part {
  static properties = { contact: { type: Number } };

  #watched = null; #end = null;

  willUpdate() {
    if (this.#watched === this.contact) return;
    this.#end?.();
    this.#watched = this.contact;
    this.#end = this.contact ? people.watch(this.contact) : null;
  }

  connectedCallback() {
    super.connectedCallback();
    if (this.#watched) this.#end ??= people.watch(this.#watched);
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    this.#end?.();
    this.#end = null;
  }
}

export const failed = (text, again) => html`<div class="empty" role="alert"><p dir="auto">${text}</p>
  <button class="button button--plain" @click=${again}>${_('Try again')}</button></div>`;

// --- the card -------------------------------------------------------------------------------------------------------

class Card extends OfContact {
  static properties = { ...OfContact.properties, page: { type: Boolean }, adding: { state: true }, all: { state: true }, wrong: { state: true } };

  render() {
    const { contact, failed: why } = people.person(this.contact);
    if (!contact) return why ? failed(why, () => people.fetchOne(this.contact)) : skeleton();
    const fixed = !people.mayChange();
    return html`${this.#head(contact, fixed)}
      ${this.#points(contact, fixed)}
      ${this.page ? nothing : html`<p-visits .contact=${contact.id}></p-visits>`}
      ${this.#details(contact, fixed)}
      ${this.#tags(contact, fixed)}
      <p-contact-notes .contact=${contact.id}></p-contact-notes>
      ${this.#consents(contact)}`;
  }

  #head(contact, fixed) {
    const sure = surest(contact.points);
    return html`<header class="who">
      ${avatar(contact.name, contact.id, 'avatar--big')}
      <div class="who__names">
        ${this.page ? nothing : html`<h2 class="who__name" dir="auto"><a href=${`/contacts/${contact.id}`}>${named(contact)}</a></h2>`}
        <p class="who__about">${[contact.title, contact.company, language(contact.language)].filter(Boolean).map((text, at) => html`${at ? html`<i aria-hidden="true">·</i>` : nothing}<bdi>${text}</bdi>`)}</p>
        <p class="who__marks">
          ${contact.blocked ? html`<span class="mark mark--wrong">${glyph('block')}${_('Blocked')}</span>` : nothing}
          ${sure ? html`<span class=${`mark mark--${sure}`} title=${sureness(sure).why}>${glyph(sure === 'typed' ? 'doubt' : 'shield')}${
            { verified: _('Known to be them'), attested: _('Likely them'), typed: _('Not confirmed') }[sure]}</span>` : nothing}
        </p>
      </div>
      <div class="who__do">
        <button class="button button--small" @click=${() => compose(contact)}>${glyph('email')}${_('New message')}</button>
        ${fixed ? nothing : html`<button class="button button--plain button--small" @click=${() => this.#block(contact)}>${
          contact.blocked ? _('Unblock') : _('Block')}</button>`}
      </div>
    </header>`;
  }

  async #block(contact) {
    if (contact.blocked) {
      await people.block(contact.id, false);
    } else if (await people.block(contact.id)) {
      tell(_('{0} is blocked. What they write is kept apart.', named(contact)), { label: _('Undo'), run: () => people.block(contact.id, false) });
    }
  }

  // --- contact points -----------------------------------------------------------------------------------------------

  #points(contact, fixed) {
    return html`<section class="part" aria-labelledby="points-title">
      <div class="part__head"><h2 id="points-title">${_('Contact points')}</h2>
        ${fixed ? nothing : html`<button class="tool" aria-label=${_('Add an address or number')} aria-expanded=${this.adding ? 'true' : 'false'} @click=${this.#add}>${glyph('plus')}</button>`}</div>
      <ul class="points">${repeat(contact.points, (one) => one.id, (one) => this.#point(contact, one, fixed))}</ul>
      ${contact.points.length || this.adding ? nothing : html`<p class="faint">${_('There is no way to reach them yet.')}</p>`}
      ${this.adding ? this.#addForm() : nothing}
    </section>`;
  }

  #point(contact, one, fixed) {
    const to = reach(one), sure = sureness(one.sureness);
    const refuses = current(contact.consents).filter((said) => said.point_id === one.id && !said.given);
    return html`<li class="point">
      <span class="point__kind" title=${point(one.kind)}>${glyph(one.kind)}${one.kind === 'visitor' ? nothing : html`<span class="sr">${point(one.kind)}</span>`}</span>
      ${one.kind === 'visitor' ? html`<span class="point__value">${point(one.kind)}</span>` : html`<span class="point__value" dir="ltr" title=${one.shown}>${to ? html`<a href=${to}>${one.shown}</a>` : one.shown}</span>`}
      <span class=${`mark mark--${one.sureness}`} title=${sure.why}>${sure.word}</span>
      ${fixed || one.sureness !== 'typed' ? nothing : html`<button class="tool tool--small" aria-label=${_('Remove {0}', one.shown)} @click=${() => people.removePoint(contact.id, one.id)}>${glyph('trash')}</button>`}
      ${refuses.map((said) => html`<span class="point__no">${_('Refuses: {0}', purpose(said.purpose))}</span>`)}
    </li>`;
  }

  #add = () => {
    this.adding = !this.adding;
    this.wrong = '';
    if (this.adding) this.updateComplete.then(() => this.querySelector('.points__add input')?.focus());
  };

  #addForm() {
    return html`<form class="points__add" @submit=${this.#addPoint} @keydown=${(event) => { if (event.key === 'Escape') { event.stopPropagation(); this.#add(); } }}>
      <label class="sr" for="point-value">${_('E-mail address or phone number')}</label>
      <input id="point-value" dir="ltr" autocomplete="off" required placeholder=${_('E-mail address or phone number')} aria-invalid=${this.wrong ? 'true' : nothing} aria-describedby=${this.wrong ? 'point-wrong' : nothing}>
      <button class="button button--small">${_('Add')}</button>
      ${this.wrong ? html`<p class="edit__wrong" id="point-wrong" role="alert" dir="auto">${this.wrong}</p>` : nothing}
    </form>`;
  }

  #addPoint = async (event) => {
    event.preventDefault();
    const value = this.querySelector('#point-value').value.trim();
    this.wrong = await people.addPoint(this.contact, value.includes('@') ? 'email' : 'phone', value);
    if (!this.wrong) this.adding = false;
  };

  // --- what is known ------------------------------------------------------------------------------------------------

  #details(contact, fixed) {
    const save = (field, as = (value) => value) => (value) => people.change(contact.id, { [field]: as(value) });
    const own = (key, as = (value) => value) => (value) => people.change(contact.id, { fields: { [key]: value === '' ? null : as(value) } });
    const next = contact.next_contact_at;
    return html`<section class="part" aria-labelledby="details-title">
      <div class="part__head"><h2 id="details-title">${_('Details')}</h2></div>
      <p-edit .label=${_('Name')} .fixed=${fixed} .value=${contact.name} .shown=${contact.name} .save=${save('name')}></p-edit>
      <p-edit .label=${_('Owner')} type="choice" .fixed=${fixed} .value=${contact.owner_id == null ? '' : String(contact.owner_id)} .hint=${_('Nobody')}
        .shown=${contact.owner_id == null ? '' : agentName('agent', contact.owner_id)} .choices=${owners()} .save=${save('owner_id', (value) => (value ? Number(value) : null))}></p-edit>
      <p-edit .label=${_('Next contact')} type="datetime-local" .fixed=${fixed} .value=${next ? local(next) : ''} .hint=${_('No date')}
        .shown=${next ? html`<span class=${`due due--${due(next, soon.value)}`} title=${exact(next)}>${soonish(next, soon.value)}</span>` : ''}
        .quick=${quick(next)} .save=${save('next_contact_at', (value) => (value ? new Date(value).getTime() : null))}></p-edit>
      <p-edit .label=${_('Company')} .fixed=${fixed} .value=${contact.company ?? ''} .shown=${contact.company} .save=${save('company')}></p-edit>
      <p-edit .label=${_('Job title')} .fixed=${fixed} .value=${contact.title ?? ''} .shown=${contact.title} .save=${save('title')}></p-edit>
      <p-edit .label=${_('Language')} type="choice" .fixed=${fixed} .value=${contact.language ?? ''} .shown=${language(contact.language)} .choices=${spoken(contact.language)} .save=${save('language')}></p-edit>
      <p-edit .label=${_('Time zone')} type="choice" .fixed=${fixed} .value=${contact.zone ?? ''} .shown=${there(contact.zone)} .choices=${zones(contact.zone)} .save=${save('zone')}></p-edit>
      ${this.#own(contact).map((field) => html`<p-edit .label=${field.label} .type=${KINDS[field.type] ?? 'text'} .fixed=${fixed} .value=${contact.fields?.[field.key] == null ? '' : String(contact.fields[field.key])}
        .shown=${linked(field, contact.fields?.[field.key])} .choices=${[['', '–'], ...(field.choices ?? []).map((one) => [one, one])]} .save=${own(field.key, AS[field.type])}></p-edit>`)}
      ${this.#hidden(contact) ? html`<button class="quiet" @click=${() => { this.all = true; }}>${ngettext('{0} empty field', '{0} empty fields', this.#hidden(contact))}</button>` : nothing}
      ${since(contact)}
    </section>`;
  }

  /** Beside a thread there is room for what is known; what is not comes when it is asked for. */
  #own({ fields }) {
    const all = people.fields();
    return this.page || this.all ? all : all.filter((field) => fields?.[field.key] != null);
  }

  #hidden(contact) {
    return people.fields().length - this.#own(contact).length;
  }

  // --- tags ---------------------------------------------------------------------------------------------------------

  #tags(contact, fixed) {
    const others = Object.values(state.value.tags).map((one) => one.name).filter((name) => !contact.tags.includes(name));
    return html`<section class="part" aria-labelledby="tags-title">
      <div class="part__head"><h2 id="tags-title">${_('Tags')}</h2></div>
      <ul class="tags">${contact.tags.map((name) => html`<li class="chip chip--tag" data-colour=${colourOf(name)}><bdi>${name}</bdi>${fixed ? nothing : html`<button class="chip__x" aria-label=${_('Remove {0}', name)}
        @click=${() => people.untag(contact.id, name)}>×</button>`}</li>`)}
        ${fixed ? nothing : html`<li><form class="tags__add" @submit=${(event) => this.#tag(event, contact)}>
          <label class="sr" for="tag-new">${_('Add a tag')}</label>
          <input id="tag-new" list="tag-names" dir="auto" autocomplete="off" maxlength="60" placeholder=${_('Add a tag')}>
          <datalist id="tag-names">${others.map((name) => html`<option value=${name}></option>`)}</datalist></form></li>`}</ul>
    </section>`;
  }

  async #tag(event, contact) {
    event.preventDefault();
    const input = event.target.querySelector('input');
    const name = input.value.trim();
    if (!name) return;
    const wrong = await people.tag(contact.id, name);
    if (wrong) tell(wrong);
    else input.value = '';
  }

  #consents(contact) {
    const said = current(contact.consents);
    if (!said.length) return nothing;
    const shownOf = (id) => contact.points.find((one) => one.id === id)?.shown ?? '';
    return html`<details class="part consents"><summary><h2>${_('Consents')}</h2> <span class="faint">${ngettext('{0} answer', '{0} answers', said.length)}</span></summary>
      <ul>${said.map((one) => html`<li class="consent"><span class=${`mark mark--${one.given ? 'verified' : 'wrong'}`}>${one.given ? _('Yes') : _('No')}</span>
        <span><b>${purpose(one.purpose)}</b> <bdi class="faint">${shownOf(one.point_id)}</bdi><br><q dir="auto">${one.wording}</q>
        <span class="faint">${exact(one.at)} · <bdi>${one.how}</bdi></span></span></li>`)}</ul></details>`;
  }
}

const KINDS = { text: 'text', number: 'number', date: 'date', choice: 'choice', bool: 'bool', url: 'url' };
const AS = { number: Number, bool: (value) => value === 'true' };

const owners = () => [['', _('Nobody')], ...Object.values(agents.value).filter((one) => !one.disabled)
  .sort((a, b) => (b.id === me.value?.agent.id) - (a.id === me.value?.agent.id) || a.name.localeCompare(b.name))
  .map((one) => [String(one.id), one.id === me.value?.agent.id ? _('{0} (me)', one.name) : one.name])];

/** Where they are, and what the clock shows there. */
const there = (zone) => (known(zone) ? `${place(zone)} · ${clock(soon.value, zone)}` : zone ?? '');

let places = null;
const zones = (now) => {
  places ??= [['', '–'], ...(Intl.supportedValuesOf?.('timeZone') ?? []).map((name) => [name, name.replaceAll('_', ' ')])];
  return !now || places.some(([name]) => name === now) ? places : [...places, [now, now]];
};

const spoken = (now) => [['', '–'], ...[...new Set([...LANGUAGES, now].filter(Boolean))].map((code) => [code, language(code)]).sort((a, b) => a[1].localeCompare(b[1]))];

const quick = (next) => [[_('Tomorrow'), local(morning(1))], [_('Next Monday'), local(morning('monday'))], [_('In a month'), local(morning(30))], ...(next ? [[_('No date'), '']] : [])];

function linked(field, value) {
  const text = valued(field, value);
  return field.type === 'url' && /^https?:\/\//i.test(text) ? html`<span dir="ltr">${text.replace(/^https?:\/\//i, '')}</span>` : text;
}

function since({ source, created_at }) {
  const utm = Object.values(source?.utm ?? {}).filter(Boolean).join(' · ');
  return html`<p class="since faint">${_('Known since {0}', short(created_at))}${utm ? html` · <bdi>${utm}</bdi>` : nothing}
    ${source?.page ? html`<br>${_('Came from')} <bdi dir="ltr">${source.page}</bdi>` : nothing}</p>`;
}

// --- notes ----------------------------------------------------------------------------------------------------------

class Notes extends OfContact {
  static properties = { ...OfContact.properties, changing: { state: true }, wrong: { state: true }, going: { state: true }, notes: { state: true }, next: { state: true } };

  #of = '';

  render() {
    this.#look();
    return html`<section class="part" aria-labelledby="notes-title">
      <div class="part__head"><h2 id="notes-title">${_('Notes')}</h2></div>
      ${people.mayChange() ? html`<form class="notes__add" @submit=${this.#add}>
        <label class="sr" for="note-new">${_('A note about this contact')}</label>
        <textarea id="note-new" rows="1" dir="auto" placeholder=${_('Only colleagues see this.')} @keydown=${submits}></textarea>
        <button class="button button--plain button--small" ?disabled=${this.going}>${_('Add the note')}</button>
        ${this.wrong ? html`<p class="edit__wrong" role="alert" dir="auto">${this.wrong}</p>` : nothing}</form>` : nothing}
      <ol class="notes">${repeat(this.notes ?? [], (note) => note.id, (note) => (this.changing === note.id ? this.#form(note) : this.#note(note)))}</ol>
      ${this.next ? html`<button class="quiet" @click=${() => this.#load(this.next)}>${_('Show older')}</button>` : nothing}
    </section>`;
  }

  /** Read again when something happened to the contact. */
  #look() {
    const of = `${this.contact} ${people.person(this.contact).news}`;
    if (of === this.#of) return;
    if (!this.#of.startsWith(`${this.contact} `)) this.notes = null;
    this.#of = of;
    this.#load();
  }

  async #load(cursor) {
    const of = this.contact;
    try {
      const { items, next } = await people.notes(of, cursor);
      if (of !== this.contact) return;
      this.notes = cursor ? [...this.notes, ...items] : items;
      this.next = next;
    } catch (problem) {
      this.wrong = problem.message;
    }
  }

  #note(note) {
    const mine = note.agent_id === me.value?.agent.id && people.mayChange();
    return html`<li class="note"><p class="note__head"><bdi>${agentName('agent', note.agent_id)}</bdi>
        <time datetime=${new Date(note.created_at).toISOString()} title=${exact(note.created_at)}>${short(note.created_at)}</time>
        ${note.changed_at ? html`<span>${_('edited')}</span>` : nothing}
        ${mine ? html`<span class="note__do"><button class="tool tool--small" aria-label=${_('Change the note')} @click=${() => { this.changing = note.id; }}>${glyph('edit')}</button>
          <button class="tool tool--small" aria-label=${_('Delete the note')} @click=${() => this.#remove(note)}>${glyph('trash')}</button></span>` : nothing}</p>
      <p class="note__text" dir="auto">${note.text}</p></li>`;
  }

  #form(note) {
    return html`<li class="note"><form class="notes__add" @submit=${(event) => this.#change(event, note)}>
      <label class="sr" for="note-old">${_('Change the note')}</label>
      <textarea id="note-old" rows="3" dir="auto" .value=${note.text} @keydown=${submits}></textarea>
      <span class="notes__do"><button class="button button--small">${_('Save')}</button>
      <button type="button" class="button button--plain button--small" @click=${() => { this.changing = null; }}>${_('Cancel')}</button></span></form></li>`;
  }

  async #doing(asked) {
    if (this.going) return false;
    this.going = true;
    this.wrong = '';
    try {
      await asked();
      await this.#load();
    } catch (problem) {
      this.wrong = problem.message;
    }
    this.going = false;
    return !this.wrong;
  }

  #add = async (event) => {
    event.preventDefault();
    const field = this.querySelector('#note-new'), text = field.value.trim();
    if (text && await this.#doing(() => people.addNote(this.contact, text))) field.value = '';
  };

  async #change(event, note) {
    event.preventDefault();
    const text = this.querySelector('#note-old').value.trim();
    if (text && await this.#doing(() => people.changeNote(note.id, text))) this.changing = null;
  }

  async #remove(note) {
    const of = this.contact;
    if (await this.#doing(() => people.removeNote(note.id))) tell(_('The note is deleted.'), { label: _('Undo'), run: () => this.#doing(() => people.addNote(of, note.text)) });
  }
}

function submits(event) {
  if (event.key === 'Enter' && (event.ctrlKey || event.metaKey) && !event.isComposing) {
    event.preventDefault();
    event.target.form.requestSubmit();
  }
}

// --- the panel ------------------------------------------------------------------------------------------------------

class ContactPanel extends Part {
  static properties = { number: { type: Number } };

  render() {
    const contact = state.value.tickets[this.number]?.contact_id;
    if (!contact) return skeleton();
    return html`<div class="contact"><p-contact-card .contact=${contact}></p-contact-card>
      <p-history .contact=${contact} .number=${this.number}></p-history></div>`;
  }
}

customElements.define('p-contact-card', Card);
customElements.define('p-contact-notes', Notes);
customElements.define('p-contact', ContactPanel);
