// Where one writes: a reply to the customer or a note for colleagues. What is begun is kept by ticket and kind.

import { _ } from './base.js';
import { agentName, discard, draft, keepDraft, may, say, send, state, type } from './desk.js';
import { Part, icon, now } from './parts.js';
import { typing } from './store.js';
import { html, live, nothing, ref } from './vendor/lit.js';
import { signal } from './vendor/signals-core.js';

const TYPED_EVERY = 3_000, TYPED_FOR = 6_000;
const ENTER = 'parley.enter';

export const mode = signal('reply');
const enter = signal(localStorage.getItem(ENTER) !== 'line');

/** Shows the field for a reply or a note, with the caret in it. */
export function write(kind) {
  mode.value = kind;
  queueMicrotask(() => document.querySelector('p-composer textarea')?.focus());
}

class Composer extends Part {
  static properties = { number: { type: Number } };

  #text = ''; #of = ''; #told = 0; #silent = 0;

  willUpdate() {
    const of = `${this.number} ${this.#mode}`;
    if (of === this.#of) return;
    this.#quiet();
    this.#of = of;
    this.#text = draft(this.number, this.#mode);
  }

  get #mode() {
    if (mode.value === 'reply' && !may('tickets.reply')) return 'note';
    return mode.value;
  }

  render() {
    const kind = this.#mode, note = kind === 'note';
    const stale = Object.values(state.value.outbox).find((entry) => entry.number === this.number && entry.state === 'stale');
    return html`<form class=${note ? 'composer composer--note' : 'composer'} @submit=${this.#submit}>
      <p class="composer__others">${this.#others()}</p>
      <div class="composer__tabs" role="group" aria-label=${_('What to write')}>${['reply', 'note'].map((one) =>
        may(`tickets.${one}`) ? html`<button type="button" aria-pressed=${one === kind ? 'true' : 'false'} @click=${() => write(one)}>
          ${icon(one === 'note' ? 'lock' : 'send')}${one === 'note' ? _('Note') : _('Reply')}</button>` : nothing)}</div>
      <textarea rows="3" dir=${this.#text ? 'auto' : nothing} .value=${live(this.#text)} aria-label=${note ? _('Note for colleagues') : _('Reply to the customer')}
        placeholder=${note ? _('Only colleagues see this.') : _('Write an answer…')} @input=${this.#typed} @keydown=${this.#key}
        @blur=${this.#quiet}></textarea>
      <div class="composer__foot">
        <label class="composer__enter"><input type="checkbox" .checked=${enter.value} @change=${this.#setEnter}> ${_('Enter sends')}</label>
        <button class="button">${note ? _('Add the note') : _('Send')}</button>
      </div>
    </form>${stale ? staleSheet(stale, {
      anyway: () => send({ ...stale, seen: stale.problem.body.seen }, true),
      edit: () => this.#edit(stale),
      discard: () => discard(stale.id),
    }) : nothing}`;
  }

  #others() {
    return typing(state.value, this.number, now.value).map((who) => {
      const contact = who.kind === 'contact';
      const name = contact ? state.value.tickets[this.number]?.contact_name || _('The customer') : agentName(who.kind, who.id);
      if (contact) return _('{0} is writing…', name);
      return who.mode === 'note' ? _('{0} is writing a note…', name) : _('{0} is replying…', name);
    }).join(' ');
  }

  #typed = (event) => {
    this.#text = event.target.value;
    keepDraft(this.number, this.#mode, this.#text);
    if (Date.now() - this.#told > TYPED_EVERY) {
      this.#told = Date.now();
      type(this.number, true, this.#mode);
    }
    clearTimeout(this.#silent);
    this.#silent = setTimeout(this.#quiet, TYPED_FOR);
  };

  #quiet = () => {
    clearTimeout(this.#silent);
    if (!this.#told) return;
    this.#told = 0;
    const [number, kind] = this.#of.split(' ');
    type(Number(number), false, kind);
  };

  #key = (event) => {
    // 229: some input methods report the Enter that ends a composition so.
    if (event.key !== 'Enter' || event.isComposing || event.keyCode === 229) {
      if (event.key === 'Escape' && !event.isComposing) event.target.blur();
      return;
    }
    if (event.ctrlKey || event.metaKey || (enter.value && !event.shiftKey)) this.#submit(event);
  };

  #submit = (event) => {
    event.preventDefault();
    const text = this.#text;
    if (!text.trim()) return;
    this.#quiet();
    this.#text = '';
    keepDraft(this.number, this.#mode, '');
    say(this.number, this.#mode, text);
    this.requestUpdate();
  };

  #edit(entry) {
    discard(entry.id);
    this.#text = [entry.text, this.#text].filter(Boolean).join('\n');
    keepDraft(this.number, 'reply', this.#text);
    write('reply');
    this.requestUpdate();
  }

  #setEnter = (event) => {
    enter.value = event.target.checked;
    localStorage.setItem(ENTER, enter.value ? 'send' : 'line');
  };
}

// --- more was said meanwhile ----------------------------------------------------------------------------------------

const shown = ref((dialog) => {
  if (dialog && !dialog.open) queueMicrotask(() => dialog.isConnected && !dialog.open && dialog.showModal());
});

function staleSheet(entry, { anyway, edit, discard }) {
  const name = (one) => (one.direction === 'outgoing' ? agentName(one.author_kind, one.author_id)
    : state.value.tickets[entry.number]?.contact_name || _('No name'));
  const stay = (event) => {
    event.preventDefault();
    edit();
  };
  return html`<dialog class="sheet" aria-labelledby="stale-title" ${shown} @cancel=${stay}>
    <h2 id="stale-title">${_('More was said meanwhile')}</h2>
    <ul class="sheet__new">${(entry.problem.body.new ?? []).map((one) => html`<li><bdi class="bubble__author">${name(one)}</bdi>
      <div class="bubble__text" dir="auto">${one.text}</div></li>`)}</ul>
    <p>${_('Your reply, not sent yet:')}</p>
    <blockquote dir="auto">${entry.text}</blockquote>
    <div class="sheet__do">
      <button class="button" @click=${edit}>${_('Edit')}</button>
      <button class="button button--plain" @click=${anyway}>${_('Send anyway')}</button>
      <button class="button button--plain" @click=${discard}>${_('Discard')}</button>
    </div>
  </dialog>`;
}

customElements.define('p-composer', Composer);
