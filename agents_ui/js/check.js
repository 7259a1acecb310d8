// The system check's part that only a browser can do: the live socket through whatever stands between, the way around
// it, the clock, HTTPS. Each row of the page is a <li data-check> that knows its words.

import { get, post } from './base.js';

const PATIENCE = 8_000, CLOCK = 60_000;

/** @returns {Promise<number>} milliseconds until the desk's first frame came */
function socket(ticket) {
  return new Promise((done, failed) => {
    const began = performance.now();
    const line = new WebSocket(`${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/live`);
    const end = (what) => {
      clearTimeout(timer);
      line.onclose = null;
      line.close();
      what();
    };
    const timer = setTimeout(() => end(failed), PATIENCE);
    line.onopen = () => line.send(JSON.stringify({ type: 'hello', ticket, cursor: null, present: false }));
    line.onmessage = () => end(() => done(performance.now() - began));
    line.onclose = () => end(failed);
  });
}

const ticket = async () => (await post('/api/v1/live/tickets')).ticket;

const CHECKS = {
  async socket(say) {
    const took = await socket(await ticket());
    say('ok', Math.round(took));
  },
  async poll(say) {
    const began = performance.now();
    await post('/live/poll', { frames: [{ type: 'hello', ticket: await ticket(), cursor: null, present: false }] }, { timeout: PATIENCE });
    say('ok', Math.round(performance.now() - began));
  },
  async clock(say) {
    const before = Date.now();
    const { now } = await get('/settings/health/clock');
    const off = Math.round((now - (before + Date.now()) / 2) / 1000);
    say(Math.abs(off) * 1000 > CLOCK ? 'warn' : 'ok', Math.abs(off));
  },
  async https(say) {
    say(isSecureContext ? 'ok' : 'warn');
  },
};

for (const row of document.querySelectorAll('[data-check]')) {
  const say = (state, value = '') => {
    row.dataset.state = state;
    row.querySelector('[data-told]').textContent = row.dataset[state].replace('{0}', value);
    const pill = row.querySelector('.pill');
    pill.textContent = pill.dataset[state];
    pill.className = `pill ${{ ok: 'pill--good', warn: 'pill--warm', fail: 'pill--wrong' }[state]}`;
  };
  CHECKS[row.dataset.check](say).catch(() => say('fail'));
}
