// The sheet that stops a reply when more was said meanwhile: what is new, and Send anyway, Edit or Discard.

import { state } from '../desk.js';
import { _ } from '../i18n.js';
import { html, ref } from '../vendor/lit.js';
import { agentName } from './p-bubble.js';

const shown = ref((dialog) => {
  if (dialog && !dialog.open) queueMicrotask(() => dialog.isConnected && !dialog.open && dialog.showModal());
});

export function staleSheet(entry, { anyway, edit, discard }) {
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
