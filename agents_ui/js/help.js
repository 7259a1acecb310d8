// The sheet of keys, and where single letters are switched off. Drawn from the register of actions.

import { _ } from './base.js';
import { Part, actions, keyOf, letters } from './parts.js';
import { html } from './vendor/lit.js';

class Help extends Part {
  show() {
    if (!this.isConnected) document.querySelector('p-app').append(this);
    this.updateComplete.then(() => this.querySelector('dialog').showModal());
  }

  render() {
    const shown = actions.value.filter((one) => keyOf(one) && one.able());
    return html`<dialog class="sheet" aria-labelledby="help-title">
      <h2 id="help-title">${_('Keys')}</h2>
      <dl class="keys">${shown.map((one) => html`<div><dt dir="ltr">${keyOf(one).split(', ').map(caps)}</dt><dd>${one.text()}</dd></div>`)}
        <div><dt dir="ltr">${caps('Mod+Enter')}</dt><dd>${_('Send')}</dd></div></dl>
      <label class="composer__enter"><input type="checkbox" .checked=${letters.value === 'on'} @change=${set}> ${_('Single letters work as keys')}</label>
      <form method="dialog" class="sheet__do"><button class="button">${_('Close')}</button></form>
    </dialog>`;
  }
}

const SHOWN = { ArrowDown: '↓', ArrowUp: '↑', ArrowLeft: '←', ArrowRight: '→', Escape: 'Esc', Mod: /Mac|iPhone|iPad/.test(navigator.platform) ? '⌘' : 'Ctrl' };

/** A key as keyboards have it printed on. */
export const caps = (key) => key.split(/[ +](?=.)/).map((one) => html`<kbd>${SHOWN[one] ?? one}</kbd> `);

function set(event) {
  letters.value = event.target.checked ? 'on' : 'off';
}

customElements.define('p-help', Help);
