// Short news at the foot of the window, one of which may be undone. role=status: read out, never in the way.

import { dismiss, toasts } from '../desk.js';
import { _ } from '../i18n.js';
import { Part } from '../part.js';
import { html, nothing, repeat } from '../vendor/lit.js';

class Toast extends Part {
  render() {
    return html`<div class="toasts" role="status">${repeat(toasts.value, (one) => one.key, (one) => this.#one(one))}</div>`;
  }

  #one({ key, text, action }) {
    const run = () => {
      dismiss(key);
      action.run();
    };
    return html`<div class="toast">
      <span dir="auto">${text}</span>
      ${action ? html`<button class="quiet" @click=${run}>${action.label}</button>` : nothing}
      <button class="quiet" aria-label=${_('Close')} @click=${() => dismiss(key)}>×</button>
    </div>`;
  }
}

customElements.define('p-toast', Toast);
