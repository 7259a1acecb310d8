// The sheet of keys, and where single letters are switched off.

import { _ } from '../i18n.js';
import { Part } from '../part.js';
import { html } from '../vendor/lit.js';
import { signal } from '../vendor/signals-core.js';

const LETTERS = 'parley.letters';

export const letters = signal(localStorage.getItem(LETTERS) !== 'off');

const keys = () => [
  ['j ↓', _('Next ticket')], ['k ↑', _('Previous ticket')], ['Enter', _('Open it')], ['Esc', _('Back')],
  ['r', _('Reply')], ['n', _('Note')], ['c', _('Claim')], ['e', _('Resolve')], ['i', _('To the inbox')], ['q', _('To the queue')],
  ['Ctrl Enter', _('Send')], ['?', _('This sheet')],
];

class Help extends Part {
  show() {
    this.querySelector('dialog').showModal();
  }

  render() {
    return html`<dialog class="sheet" aria-labelledby="help-title">
      <h2 id="help-title">${_('Keys')}</h2>
      <dl class="keys">${keys().map(([key, what]) => html`<div><dt dir="ltr">${key.split(' ').map((one) => html`<kbd>${one}</kbd> `)}</dt><dd>${what}</dd></div>`)}</dl>
      <label class="composer__enter"><input type="checkbox" .checked=${letters.value} @change=${set}> ${_('Single letters work as keys')}</label>
      <form method="dialog" class="sheet__do"><button class="button">${_('Close')}</button></form>
    </dialog>`;
  }
}

function set(event) {
  letters.value = event.target.checked;
  localStorage.setItem(LETTERS, letters.value ? 'on' : 'off');
}

customElements.define('p-help', Help);
