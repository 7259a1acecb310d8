// Whether one takes work: Online, Busy, Away, Offline.

import { me, setAvailability } from '../desk.js';
import { _ } from '../i18n.js';
import { Part } from '../part.js';
import { html } from '../vendor/lit.js';

class Presence extends Part {
  render() {
    const mine = me.value?.agent.availability ?? 'offline';
    const words = { online: _('Online'), busy: _('Busy'), away: _('Away'), offline: _('Offline') };
    return html`<label class="presence presence--${mine}">
      <span class="presence__dot" aria-hidden="true"></span>
      <span class="sr">${_('Your availability')}</span>
      <select @change=${(event) => setAvailability(event.target.value)}>
        ${Object.entries(words).map(([value, word]) => html`<option value=${value} .selected=${value === mine}>${word}</option>`)}
      </select>
    </label>`;
  }
}

customElements.define('p-presence', Presence);
