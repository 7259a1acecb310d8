// The sheet of keys: what does what on this screen and everywhere, where keys are given to other things, and where single
// letters are switched off in one click. Drawn from the register of actions.

import { _, isLetter, stroke } from './base.js';
import { prefer } from './desk.js';
import { caps, places, refused } from './keys.js';
import { Part, actions, bring, keyOf, keymap, letters, route, screens } from './parts.js';
import { html, nothing } from './vendor/lit.js';

export const keycaps = (key) => caps(key).map((parts) => html`<span class="caps">${parts.map((part) => html`<kbd>${part}</kbd>`)}</span>`);

class Help extends Part {
  static properties = { changing: { state: true }, catching: { state: true }, wrong: { state: true }, half: { state: true } };

  show() {
    if (!this.isConnected) document.querySelector('p-app').append(this);
    this.#stop();
    this.updateComplete.then(() => this.querySelector('dialog').showModal());
  }

  render() {
    const here = ['inbox', 'queue', 'contacts'].includes(route.value.screen) ? { inbox: 'thread' }[route.value.screen] ?? route.value.screen : null;
    const names = Object.entries(places()).sort(([a], [b]) => (b === here) - (a === here));
    return html`<dialog class="sheet keysheet" aria-labelledby="help-title" @close=${() => this.#stop()} @keydown=${this.#pressed}>
      <div class="keysheet__head"><h2 id="help-title" tabindex="-1" autofocus>${_('Keys')}</h2>
        <label class="switch"><input type="checkbox" .checked=${letters.value} @change=${set}> ${_('Single letters work as keys')}</label></div>
      <div class="keysheet__all">${names.map(([where, title]) => this.#place(where, title))}</div>
      <p class="sr" role="status">${this.catching ? _('Press the new key. Escape leaves it as it is, Backspace takes it away.') : ''}</p>
      <div class="sheet__do">
        <button class="button" @click=${(event) => event.target.closest('dialog').close()}>${_('Close')}</button>
        <button class="button button--plain" aria-pressed=${this.changing ? 'true' : 'false'} @click=${this.#change}>${_('Change keys')}</button>
        ${this.changing && Object.keys(keymap.value).length ? html`<button class="button button--plain" @click=${() => this.#keep({})}>${_('All as they were')}</button>` : nothing}
      </div>
    </dialog>`;
  }

  #place(where, title) {
    const found = actions.value.filter((one) => one.where === where && one.able() && (this.changing || keyOf(one)));
    if (!found.length) return nothing;
    return html`<section class="keysheet__place"><h3>${title}</h3><dl class="keys">${found.map((one) => this.#row(one))}</dl></section>`;
  }

  #row(one) {
    const keys = keyOf(one).split(', ').filter(Boolean);
    const shown = keys.length ? keys.map((key) => html`<span class=${!letters.value && isLetter(key) ? 'caps caps--off' : 'caps'}>${keycaps(key)}</span>`) : html`<span class="faint">–</span>`;
    if (!this.changing) return html`<div><dt dir="ltr">${shown}</dt><dd>${one.text()}</dd></div>`;
    const now = this.catching === one.name, own = keymap.value[one.name] !== undefined;
    return html`<div class="keys__change"><dt dir="ltr"><button class=${`keys__key ${now ? 'keys__key--now' : ''}`} data-of=${one.name} aria-label=${_('Change the key of “{0}”', one.text())}
        @click=${() => this.#catch(one.name)}>${now ? (this.half ? keycaps(this.half) : _('Press a key…')) : shown}</button></dt>
      <dd>${one.text()}${own ? html`<button class="quiet keys__back" @click=${() => this.#keep(without(keymap.value, one.name))}>${_('As it was')}</button>` : nothing}
        ${now && this.wrong ? html`<span class="edit__wrong" role="alert">${this.wrong}</span>` : nothing}</dd></div>`;
  }

  /** Screens that were not opened yet have not said what can be done there. */
  #change = () => {
    this.changing = !this.changing;
    this.#catch(null);
    if (this.changing) for (const one of screens.value) if (one.load) bring(one);
  };

  #catch(name) {
    clearTimeout(this.#waits);
    this.catching = name;
    this.half = this.wrong = '';
  }

  #stop() {
    this.changing = false;
    this.#catch(null);
  }

  #waits = 0;

  /** A second stroke may follow the first; when none does, the first was all. */
  #pressed = (event) => {
    if (!this.catching) return;
    const one = stroke(event);
    if (!one || one === 'Tab' || one === 'Shift+Tab') return;
    event.preventDefault();
    event.stopPropagation();
    clearTimeout(this.#waits);
    if (one === 'Escape') this.#catch(null);
    else if (one === 'Backspace') this.#keep({ ...keymap.value, [this.catching]: '' });
    else if (this.half) this.#give(`${this.half} ${one}`);
    else if (!isLetter(one)) this.#give(one);
    else {
      this.half = one;
      this.wrong = '';
      this.#waits = setTimeout(() => this.#give(one), 900);
    }
  };

  #give(key) {
    const name = this.catching, one = actions.value.find((act) => act.name === name);
    this.half = '';
    this.wrong = refused(one, key, actions.value.filter((other) => other.able()), keyOf);
    if (this.wrong) return;
    const first = (one.key ?? '').split(', ')[0];
    this.#keep(key === first ? without(keymap.value, name) : { ...keymap.value, [name]: key });
    this.updateComplete.then(() => this.querySelector(`[data-of="${name}"]`)?.focus());
  }

  #keep(keys) {
    this.#catch(null);
    prefer({ keys });
  }
}

const without = (table, name) => Object.fromEntries(Object.entries(table).filter(([key]) => key !== name));

const set = (event) => prefer({ letters: event.target.checked });

customElements.define('p-help', Help);
