// What every component of the console is: a lit element in the light DOM that draws itself anew when a signal it read changes.

import { LitElement } from './vendor/lit.js';
import { computed, effect, signal } from './vendor/signals-core.js';

export class Part extends LitElement {
  #end = null;

  createRenderRoot() {
    return this;
  }

  performUpdate() {
    if (!this.isUpdatePending) return;
    this.#end?.();
    let first = true;
    this.#end = effect(() => {
      if (first) {
        first = false;
        super.performUpdate();
      } else {
        this.requestUpdate();
      }
    });
  }

  connectedCallback() {
    super.connectedCallback();
    this.requestUpdate();
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    this.#end?.();
    this.#end = null;
  }
}

/** The time, for whatever ticks: one timer for all. */
export const now = signal(Date.now());
setInterval(() => { now.value = Date.now(); }, 1_000);

/** The same, for what need not be exact to the second. */
export const soon = computed(() => Math.floor(now.value / 10_000) * 10_000);
