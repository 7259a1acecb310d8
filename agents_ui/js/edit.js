// A value that becomes a field when it is clicked: Enter keeps what was written, Escape does not, leaving the field keeps it
// too. What the desk refuses stands below and the field stays open. For the contact panel and page.

import { _ } from './base.js';
import { Part } from './parts.js';
import { glyph } from './pictures.js';
import { html, nothing } from './vendor/lit.js';

let ids = 0;

/**
 * @typedef {object} Edited
 * @property {string} label @property {string} value  as the field has it @property {unknown} shown  as one reads it
 * @property {'text'|'number'|'date'|'datetime-local'|'url'|'choice'|'bool'|'long'} type
 * @property {[string, string][]} choices  value and word, for "choice"
 * @property {(value: string) => Promise<string>} save  → what is wrong, '' when it is kept
 */
class Edit extends Part {
  static properties = {
    label: {}, value: {}, shown: {}, type: {}, choices: {}, save: {}, fixed: { type: Boolean }, quick: {}, hint: {},
    open: { state: true }, wrong: { state: true }, going: { state: true },
  };

  #id = `edit${++ids}`;

  render() {
    return html`<div class="edit ${this.open ? 'edit--open' : ''}">${this.open ? this.#field() : this.#value()}</div>`;
  }

  #value() {
    const empty = this.shown == null || this.shown === '';
    const text = empty ? html`<span class="edit__none">${this.fixed ? '–' : this.hint ?? _('Add')}</span>` : this.shown;
    const label = html`<span class="edit__label"><bdi>${this.label}</bdi></span>`;
    if (this.fixed) return html`<div class="edit__row">${label}<span class="edit__value" dir="auto">${text}</span></div>`;
    return html`<button type="button" class="edit__row" @click=${this.edit} aria-describedby=${this.wrong ? `${this.#id}w` : nothing}>
      ${label}<span class="edit__value" dir="auto">${text}</span><span class="edit__pen">${glyph('edit')}</span><span class="sr">${_('Change')}</span></button>`;
  }

  #field() {
    const id = this.#id;
    return html`<form class="edit__form" @submit=${this.#submit} @keydown=${this.#key} @focusout=${this.#left}>
      <label class="edit__label" for=${id}><bdi>${this.label}</bdi></label>
      ${this.#input(id)}
      ${this.quick?.length ? html`<div class="edit__quick">${this.quick.map(([word, value]) => html`<button type="button" class="chip chip--do"
        @click=${() => this.#keep(value)}>${word}</button>`)}</div>` : nothing}
      ${this.wrong ? html`<p class="edit__wrong" id=${`${id}w`} role="alert" dir="auto">${this.wrong}</p>` : nothing}
      <button class="sr">${_('Save')}</button>
    </form>`;
  }

  #input(id) {
    const said = { 'aria-invalid': this.wrong ? 'true' : nothing, 'aria-describedby': this.wrong ? `${id}w` : nothing };
    if (this.type === 'choice' || this.type === 'bool') {
      const choices = this.type === 'bool' ? [['', '–'], ['true', _('Yes')], ['false', _('No')]] : this.choices;
      return html`<select id=${id} aria-invalid=${said['aria-invalid']} aria-describedby=${said['aria-describedby']} ?disabled=${this.going} @change=${this.#submit}>
        ${choices.map(([value, word]) => html`<option value=${value} .selected=${value === (this.value ?? '')}>${word}</option>`)}</select>`;
    }
    if (this.type === 'long') {
      return html`<textarea id=${id} rows="3" dir="auto" aria-invalid=${said['aria-invalid']} aria-describedby=${said['aria-describedby']} ?readonly=${this.going}
        .value=${this.value ?? ''}></textarea>`;
    }
    return html`<input id=${id} type=${this.type ?? 'text'} dir=${this.type === 'text' || !this.type ? 'auto' : 'ltr'} step=${this.type === 'number' ? 'any' : nothing}
      autocomplete="off" aria-invalid=${said['aria-invalid']} aria-describedby=${said['aria-describedby']} ?readonly=${this.going} .value=${this.value ?? ''}>`;
  }

  get #at() {
    return this.querySelector(`#${this.#id}`);
  }

  edit = async () => {
    this.open = true;
    this.wrong = '';
    await this.updateComplete;
    this.#at?.focus();
    this.#at?.select?.();
  };

  #submit = (event) => {
    event.preventDefault();
    event.stopPropagation();
    this.#keep(this.#at.value);
  };

  #key = (event) => {
    if (event.key !== 'Escape' || event.isComposing) return;
    event.preventDefault();
    event.stopPropagation();
    this.#close();
  };

  #left = (event) => {
    if (!this.open || this.going || this.contains(event.relatedTarget) || !document.hasFocus()) return;
    if (this.#at && this.#at.value !== (this.value ?? '') && this.#at.checkValidity()) this.#keep(this.#at.value, false);
    else this.#close(false);
  };

  async #keep(value, back = true) {
    if (this.going) return;
    if (this.#at && !this.#at.checkValidity()) {
      this.wrong = this.#at.validationMessage;
      return;
    }
    const text = typeof value === 'string' ? value.trim() : value;
    if (text === (this.value ?? '')) {
      this.#close(back);
      return;
    }
    this.going = true;
    this.wrong = (await this.save(text)) || '';
    this.going = false;
    if (!this.wrong) this.#close(back);
    else this.updateComplete.then(() => this.#at?.focus());
  }

  async #close(back = true) {
    this.open = false;
    this.wrong = '';
    await this.updateComplete;
    if (back) this.querySelector('button')?.focus();
  }
}

customElements.define('p-edit', Edit);
