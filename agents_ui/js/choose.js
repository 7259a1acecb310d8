// A list that opens at a button: choose one or several, by pointer, by arrows, by typing. Loaded when the first one opens.

import { _ } from './base.js';
import { Part, bring, icon } from './parts.js';
import { html, live, nothing } from './vendor/lit.js';
import { signal } from './vendor/signals-core.js';

/**
 * @typedef {object} Item @property {any} value @property {string} text @property {string} [hint] @property {string} [icon]
 * @property {object} [face] a template, before the text @property {boolean} [on] @property {boolean} [danger] @property {string} [group]
 * @property {string} [key] the digit that chooses it
 */

const given = signal(null);
const PAUSE = 800; // ms after which letters begin anew
const SEARCHED = 8; // from so many on there is a field to search in

/**
 * @param {Element|null} anchor where it opens; none: in the middle
 * @param {{title: string, items: Item[]|((query: string) => Item[]), pick: (item: Item) => void, many?: boolean, search?: boolean,
 *   placeholder?: string}} what  `many`: it stays open, `items` is asked again after each pick
 */
export async function choose(anchor, what) {
  await bring({ name: 'choose.css', load: () => Promise.resolve(), css: 'choose.css' });
  let part = document.querySelector('p-choose');
  if (!part) document.body.append((part = document.createElement('p-choose')));
  given.value = { ...what, anchor };
  await part.updateComplete;
  part.open();
}

class Choose extends Part {
  #query = ''; #at = 0; #begun = ''; #pressed = 0;

  get #items() {
    const { items = [] } = given.value ?? {}, words = this.#query.toLocaleLowerCase().split(/\s+/).filter(Boolean);
    if (typeof items === 'function') return items(this.#query);
    return items.filter(({ text, hint = '' }) => words.every((word) => `${text} ${hint}`.toLocaleLowerCase().includes(word)));
  }

  open() {
    const box = this.querySelector('[popover]');
    if (!given.value) return; // closed again before it was there
    this.#query = '';
    this.#at = Math.max(0, given.value.many ? 0 : this.#items.findIndex((item) => item.on));
    this.requestUpdate();
    this.updateComplete.then(() => {
      if (!box.matches(':popover-open')) box.showPopover();
      this.#place(box);
      // On a touch screen the keyboard comes up only for who wants to search.
      this.querySelector(matchMedia('(pointer: coarse)').matches ? '[role=listbox]' : 'input, [role=listbox]').focus();
      this.#reveal();
    });
  }

  render() {
    const { title = '', many = false, search, placeholder, items = [] } = given.value ?? {};
    const found = given.value ? this.#items : [];
    const field = search ?? (typeof items === 'function' || items.length >= SEARCHED);
    const at = found.length ? `choice${this.#at}` : nothing;
    return html`<div popover class="choose" role="dialog" aria-label=${title} @keydown=${this.#key} @beforetoggle=${(event) => event.newState === 'closed' && (given.value = null)}>
      ${field ? html`<label class="choose__search">${icon('search')}<input type="text" role="combobox" autocomplete="off" aria-expanded="true" aria-controls="choices"
        aria-label=${title} aria-autocomplete="list" aria-activedescendant=${at} placeholder=${placeholder ?? title} .value=${live(this.#query)} @input=${this.#typed}></label>`
        : html`<p class="choose__title" aria-hidden="true">${title}</p>`}
      <ul id="choices" role="listbox" aria-label=${title} aria-multiselectable=${many ? 'true' : nothing} tabindex=${field ? '-1' : '0'}
        aria-activedescendant=${field ? nothing : at}>${found.map((item, place) => this.#item(item, place, found[place - 1]))}</ul>
      ${given.value && !found.length ? html`<p class="choose__none">${_('Nothing found.')}</p>` : nothing}
    </div>`;
  }

  #item(item, place, before) {
    return html`${item.group && item.group !== before?.group ? html`<li class="choose__group" role="presentation">${item.group}</li>` : nothing}
      <li role="option" id=${`choice${place}`} aria-selected=${item.on ? 'true' : 'false'} class=${`choice ${place === this.#at ? 'choice--at' : ''} ${item.danger ? 'choice--danger' : ''}`}
        @pointermove=${() => this.#go(place)} @click=${() => this.#pick(item)}>
        ${item.face ?? (item.icon ? icon(item.icon) : nothing)}<span class="choice__text"><bdi>${item.text}</bdi>${item.hint ? html`<small><bdi>${item.hint}</bdi></small>` : nothing}</span>
        ${item.on ? icon('check') : item.key ? html`<kbd aria-hidden="true">${item.key}</kbd>` : nothing}</li>`;
  }

  #typed = (event) => {
    this.#query = event.target.value;
    this.#at = 0;
    this.requestUpdate();
  };

  #key = (event) => {
    if (event.isComposing || !given.value) return; // the focus stays in a closed list until the page is drawn again
    const found = this.#items, inField = event.target.tagName === 'INPUT';
    const step = { ArrowDown: 1, ArrowUp: -1, Home: inField ? 0 : -Infinity, End: inField ? 0 : Infinity, PageDown: 8, PageUp: -8 }[event.key];
    const byDigit = !inField && found.find((item) => item.key === event.key);
    if (step) this.#go(Math.abs(step) === 1 ? (this.#at + step + found.length) % found.length : Math.max(0, Math.min(found.length - 1, this.#at + step)));
    else if (byDigit) this.#pick(byDigit);
    else if (!inField && event.key !== ' ' && [...event.key].length === 1 && !event.ctrlKey && !event.metaKey) this.#lead(event.key, found);
    else if (event.key === 'Enter' || (event.key === ' ' && !inField)) found[this.#at] && this.#pick(found[this.#at]);
    else if (event.key === 'Tab') this.querySelector('[popover]').hidePopover();
    else return;
    if (event.key !== 'Tab') event.preventDefault();
    event.stopPropagation();
  };

  /** Without a field to search in, letters lead to what begins with them. */
  #lead(letter, found) {
    const now = Date.now();
    this.#begun = (now - this.#pressed < PAUSE ? this.#begun : '') + letter.toLocaleLowerCase();
    this.#pressed = now;
    const place = found.findIndex(({ text }) => text.toLocaleLowerCase().startsWith(this.#begun));
    if (place >= 0) this.#go(place);
  }

  #go(place) {
    if (place === this.#at || Number.isNaN(place)) return;
    this.#at = place;
    this.requestUpdate();
    this.updateComplete.then(() => this.#reveal());
  }

  #reveal() {
    this.querySelector('.choice--at')?.scrollIntoView({ block: 'nearest' });
  }

  #pick(item) {
    const { pick, many } = given.value;
    if (!many) this.querySelector('[popover]').hidePopover();
    pick(item);
    if (many) this.requestUpdate();
  }

  /** Below its button, or above it where there is more room. On a phone the style sheet puts it at the foot. */
  #place(box) {
    const rect = given.value?.anchor?.getBoundingClientRect();
    const turned = document.documentElement.dir === 'rtl';
    const { innerWidth: wide, innerHeight: high } = window, width = box.offsetWidth, height = box.offsetHeight;
    const start = rect ? (turned ? wide - rect.right : rect.left) : (wide - width) / 2;
    const below = rect ? rect.bottom + 4 : high / 5;
    const above = rect && below + height > high - 8 && rect.top > high - rect.bottom;
    box.style.insetInlineStart = `${Math.max(8, Math.min(start, wide - width - 8))}px`;
    box.style.insetBlockStart = `${above ? Math.max(8, rect.top - height - 4) : Math.min(below, Math.max(8, high - height - 8))}px`;
  }
}

customElements.define('p-choose', Choose);
