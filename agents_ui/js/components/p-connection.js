// Says that the line to the desk is broken, once that has lasted two seconds.

import { connection, state } from '../desk.js';
import { _, ngettext } from '../i18n.js';
import { now, Part } from '../part.js';
import { computed } from '../vendor/signals-core.js';
import { html } from '../vendor/lit.js';

const PATIENCE = 2_000, LONG = 60_000;

const going = computed(() => Object.values(state.value.outbox).filter((entry) => entry.state === 'sending').length);
const lasts = computed(() => (connection.value.state === 'live' || !connection.value.since ? 0 : now.value - connection.value.since));
const shown = computed(() => (lasts.value < PATIENCE ? '' : lasts.value > LONG ? 'long' : 'short'));

class Connection extends Part {
  render() {
    return html`<div role="status">${shown.value ? this.#banner() : ''}</div>`;
  }

  #banner() {
    return html`<div class="banner">
      <span>${_('Reconnecting…')}
        ${going.value ? ngettext('{0} message is waiting to be sent.', '{0} messages are waiting to be sent.', going.value) : ''}</span>
      ${shown.value === 'long' ? html`<button class="quiet" @click=${() => location.reload()}>${_('Reload the page')}</button>` : ''}
    </div>`;
  }
}

customElements.define('p-connection', Connection);
