// The console's pictures: lines on a grid of 24, drawn in the colour of the text around them. They are never the only label.

import { html, svg } from './vendor/lit.js';

const DRAWN = {
  inbox: svg`<path d="M4 13l2.500-8h11L20 13v6H4zM4 13h4.500l1 2.500h5l1-2.500H20"/>`,
  queue: svg`<circle cx="9" cy="8" r="3.200"/><path d="M3 19c.5-4 3-6 6-6s5.500 2 6 6M16 5.200a3.200 3.200 0 010 5.600M18 13.600c1.800.9 2.800 2.700 3 5.400"/>`,
  settings: svg`<path d="M4 7h9M17 7h3M4 17h3M11 17h9"/><circle cx="15" cy="7" r="2"/><circle cx="9" cy="17" r="2"/>`,
  help: svg`<circle cx="12" cy="12" r="8.500"/><path d="M9.500 9.500a2.500 2.500 0 114 2c-1 .7-1.500 1.200-1.500 2.300M12 16.800v.1"/>`,
  person: svg`<circle cx="12" cy="8.500" r="3.500"/><path d="M5 20c.6-4.300 3.400-6.500 7-6.500s6.400 2.200 7 6.500"/>`,
  back: svg`<path d="M15 5l-7 7 7 7"/>`,
  send: svg`<path d="M4 12l16-7-5 15-3.500-6z"/>`,
  lock: svg`<rect x="5.500" y="10.500" width="13" height="9" rx="1.500"/><path d="M8.500 10.500v-3a3.500 3.500 0 017 0v3"/>`,
  check: svg`<path d="M5 12.500l4.500 4.500L19 7.500"/>`,
  clock: svg`<circle cx="12" cy="12" r="8.500"/><path d="M12 7v5l3.200 2"/>`,
  alert: svg`<path d="M12 4l9 15.500H3zM12 10v4.500M12 17v.1"/>`,
  out: svg`<path d="M13 4H5v16h8M10 12h10M16.500 8.500L20 12l-3.500 3.500"/>`,
};

const MIRRORED = new Set(['back', 'send', 'out']);

export const icon = (name) => html`<svg class=${MIRRORED.has(name) ? 'icon icon--turns' : 'icon'} viewBox="0 0 24 24"
  aria-hidden="true">${DRAWN[name]}</svg>`;
