// What of the first steps is left, where the inbox has nothing else to show. Comes only as long as something is left, and
// only to whoever looks after the desk.

import { _, post } from './base.js';
import { Part } from './parts.js';
import { html, nothing } from './vendor/lit.js';
import { signal } from './vendor/signals-core.js';

const left = signal(JSON.parse(document.getElementById('boot').textContent).first_run);

class FirstRun extends Part {
  render() {
    if (!left.value) return nothing;
    const { done, of } = left.value;
    return html`<section class="first" aria-labelledby="first-title">
      <svg class="first__ring" viewBox="0 0 36 36" aria-hidden="true"><circle cx="18" cy="18" r="15"></circle>
        <circle cx="18" cy="18" r="15" pathLength=${of} stroke-dasharray=${`${done} ${of}`}></circle></svg>
      <h2 id="first-title">${_('First steps: {0} of {1}', done, of)}</h2>
      <p>${_('Your desk is nearly ready.')}</p>
      <p class="first__do"><a class="button" href="/welcome">${_('Go on')}</a>
        <button class="button button--plain" @click=${dismiss}>${_('Not now')}</button></p>
    </section>`;
  }
}

async function dismiss() {
  const before = left.value;
  left.value = null;
  await post('/welcome/dismiss').catch(() => { left.value = before; });
}

customElements.define('p-first-run', FirstRun);
