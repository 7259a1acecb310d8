// The first run: copies, colours, scenes, and what ticks by itself. It keeps a line to the desk, so that whoever tries the
// chat is online and a tick comes at once; without one it asks every few seconds. Every page of it works without this.

import { get, Live, post, put } from './base.js';

const EVERY = 3_000;
const step = location.pathname.split('/').pop();

// --- copying --------------------------------------------------------------------------------------------------------

for (const button of navigator.clipboard ? document.querySelectorAll('[data-copy]') : []) {
  const before = button.textContent;
  button.hidden = false;
  button.addEventListener('click', async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
    button.textContent = button.dataset.done;
    setTimeout(() => { button.textContent = before; }, 2_000);
  });
}

// --- the look -------------------------------------------------------------------------------------------------------

const form = document.getElementById('look');
for (const button of document.querySelectorAll('[data-colour]')) {
  button.hidden = false;
  button.style.setProperty('--swatch', button.dataset.colour);
  button.addEventListener('click', () => {
    form.elements['settings.colour'].value = button.dataset.colour;
    form.elements['settings.colour'].dispatchEvent(new Event('input', { bubbles: true }));
  });
}
for (const scenes of document.querySelectorAll('.scenes')) {
  scenes.hidden = false;
  scenes.addEventListener('change', ({ target }) => {
    form.dataset.scene = target.value;
    form.dispatchEvent(new Event('change'));
  });
}

// --- what ticks -----------------------------------------------------------------------------------------------------

const sites = (list) => JSON.stringify(list.map(({ site, allowed }) => [site, allowed]).sort());
const place = document.getElementById('state');
const ticks = document.querySelectorAll('[data-tick]');
let asking = false;

async function look() {
  if (asking || document.hidden) return;
  asking = true;
  const now = await get('/welcome/state').catch(() => null);
  asking = false;
  if (!now) return;
  for (const tick of ticks) {
    if (!now.tried.includes(tick.dataset.tick) || tick.classList.contains('tick--done')) continue;
    tick.classList.add('tick--done');
    tick.querySelector('[data-done]').textContent = tick.parentElement.dataset.word;
  }
  const told = document.getElementById('told');
  if (told && [...ticks].every((tick) => tick.classList.contains('tick--done'))) told.textContent = told.dataset.all;
  const typing = document.activeElement?.matches('input, textarea') && document.activeElement.value;
  if (place && !typing && sites(now.sites) !== sites(JSON.parse(place.dataset.seen))) location.reload();
}

if (step === 'try' || step === 'site') {
  setInterval(look, EVERY);
  document.addEventListener('visibilitychange', look);
  look();
}

// The sample data is on its way, or going: how far, until the page is drawn anew.
const busy = document.querySelector('#sample[data-busy] progress');
if (busy) {
  const turn = setInterval(async () => {
    const { state, done, of } = await get('/api/v1/sample').catch(() => ({}));
    if (!state) return;
    Object.assign(busy, { max: of || 1, value: done });
    if (state === 'loading' || state === 'clearing') return;
    clearInterval(turn);
    location.reload();
  }, 400);
}

if (step === 'try') {
  const live = new Live({
    url: `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/live`,
    post,
    cursor: () => null,
    onframe: ({ type }) => { if (type === 'event' || type === 'live') setTimeout(look, 150); },
    onstate: () => {},
  });
  // Whoever tries the chat is there for its visitors; from now on the console tells and changes that.
  put('/api/v1/me/availability', { availability: 'online' }).catch(() => {}).then(() => live.start());
  addEventListener('pagehide', () => live.stop());
}

// Where this browser is, most likely the desk is too.
for (const zone of document.querySelectorAll('[data-zone]')) zone.value ||= Intl.DateTimeFormat().resolvedOptions().timeZone ?? '';
