// The chat as a form describes it, before anything is saved: the real widget on a made-up shop, in a frame beside the
// form. For every page that sets how a chat looks. The other half is hub/web/preview.py.
//
//   <form data-preview="chat">             the kind; data-inbox: an inbox whose settings are the ground; data-scene
//     <input name="settings.colour">       what is called settings.… is shown; lists have data-list
//     <span data-said="settings.colour">   what is wrong with it, or nothing
//     <p data-contrast data-good="…" data-poor="…" data-faint="…">
//   <div class="preview" data-shows="ID of the form" aria-label="…">

import { post } from './base.js';

const PAUSE = 250;

/** What the form holds, as the API would take it. */
export function settingsOf(form) {
  const found = {};
  for (const field of form.elements) {
    if (!field.name?.startsWith('settings.') || field.disabled) continue;
    const name = field.name.slice('settings.'.length);
    if (field.type === 'checkbox') found[name] = field.checked;
    else if (field.type === 'radio') found[name] = field.checked ? field.value : found[name];
    else if (field.type === 'number') found[name] = field.value === '' ? null : Number(field.value);
    else if ('list' in field.dataset) found[name] = field.value.split(/[\n,]/).map((one) => one.trim()).filter(Boolean);
    else found[name] = field.value.trim() || null;
  }
  return found;
}

/** @returns {{look: () => Promise<void>}} `look` shows the form as it is now; it happens by itself after every input */
export function preview(form, holder) {
  let timer, turn = 0, shown = '';
  holder.setAttribute('role', 'group'); // so that it may have a name

  async function look() {
    const mine = ++turn;
    const asked = { kind: form.dataset.preview, settings: settingsOf(form), scene: form.dataset.scene || 'greeting' };
    if (form.dataset.inbox) asked.inbox_id = Number(form.dataset.inbox);
    let answer, wrong = {};
    try {
      answer = await post('/preview', asked);
    } catch (problem) {
      if (!problem.body?.errors) return; // offline: what is there stays
      wrong = Object.fromEntries(problem.body.errors.map(({ path, text }) => [path, text]));
    }
    if (mine !== turn) return;
    say(form, wrong);
    if (!answer) return;
    tellContrast(form, answer);
    if (answer.page !== shown) show(holder, answer.page);
    shown = answer.page;
  }

  const soon = () => {
    clearTimeout(timer);
    timer = setTimeout(look, PAUSE);
  };
  form.addEventListener('input', soon);
  form.addEventListener('change', soon);
  look();
  return { look };
}

/** The new page takes the place of the old one when it has been drawn, so that nothing flickers. */
function show(holder, page) {
  for (const old of holder.querySelectorAll('iframe[data-next]')) old.remove();
  const frame = document.createElement('iframe');
  frame.src = page;
  frame.title = holder.getAttribute('aria-label') ?? '';
  frame.dataset.next = '';
  holder.append(frame);
  addEventListener('message', function ready({ source, data }) {
    if (!frame.isConnected) removeEventListener('message', ready);
    if (source !== frame.contentWindow || data !== 'preview:ready') return;
    removeEventListener('message', ready);
    delete frame.dataset.next;
    for (const old of holder.querySelectorAll('iframe')) if (old !== frame) old.remove();
  });
}

function say(form, wrong) {
  for (const place of form.querySelectorAll('[data-said]')) {
    const text = wrong[place.dataset.said] ?? '';
    if (place.textContent !== text) place.textContent = text;
    form.elements[place.dataset.said]?.setAttribute?.('aria-invalid', text ? 'true' : 'false');
  }
}

function tellContrast(form, { colour, on }) {
  const place = form.querySelector('[data-contrast]');
  if (!place || !colour) return;
  const letters = contrast(colour, on);
  const { good, poor, faint } = place.dataset;
  const text = letters < 4.5 ? poor : contrast(colour, '#ffffff') < 3 ? faint : good;
  place.textContent = text.replace('{0}', letters.toFixed(1));
  place.classList.toggle('is-poor', text !== good);
}

/** Between 1 and 21, as WCAG counts it. */
export function contrast(one, other) {
  const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}

function luminance(colour) {
  const [r, g, b] = [1, 3, 5].map((at) => {
    const part = parseInt(colour.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

for (const holder of document.querySelectorAll('[data-shows]')) preview(document.getElementById(holder.dataset.shows), holder);
