// Pictures that only later screens need. For whoever shows contacts, the palette and the preferences; those of the first
// screen are in parts.js.

import { html, nothing, svg } from './vendor/lit.js';

const DRAWN = {
  person: svg`<circle cx="12" cy="8.500" r="3.500"/><path d="M5 20c.6-4.300 3.400-6.500 7-6.500s6.400 2.200 7 6.500"/>`,
  email: svg`<rect x="3.500" y="5.500" width="17" height="13" rx="1.800"/><path d="M4 7l8 6 8-6"/>`,
  phone: svg`<path d="M6.500 4.500h3l1.300 4-2 1.600a11 11 0 005.100 5.100l1.600-2 4 1.300v3c0 1-.8 1.700-1.700 1.600C10.700 18.500 5.500 13.300 4.900 6.200c-.1-.9.6-1.700 1.600-1.700z"/>`,
  chat: svg`<path d="M4 5.500h16v10.500h-8.500L7 19.500V16H4z"/>`,
  plus: svg`<path d="M12 5v14M5 12h14"/>`,
  edit: svg`<path d="M4.500 19.500l1-4L16 5l3 3L8.500 18.500zM13.800 7.200l3 3"/>`,
  trash: svg`<path d="M5 7h14M9.500 7V4.500h5V7M7 7l.8 12.500h8.400L17 7M10.300 10.500v5.500M13.700 10.500v5.500"/>`,
  shield: svg`<path d="M12 3.500l7 2.500v5.500c0 4.300-2.800 7.300-7 9-4.200-1.700-7-4.700-7-9V6zM9 12l2.200 2.200L15.200 10"/>`,
  doubt: svg`<path d="M12 3.500l7 2.500v5.500c0 4.300-2.800 7.300-7 9-4.200-1.700-7-4.700-7-9V6z"/><path d="M12 8v4.500M12 15.500v.1"/>`,
  calendar: svg`<rect x="4" y="5.500" width="16" height="14.500" rx="1.800"/><path d="M4 10h16M8.500 3.500v4M15.500 3.500v4"/>`,
  globe: svg`<circle cx="12" cy="12" r="8.500"/><path d="M3.500 12h17M12 3.500c2.500 2.500 3.500 5.300 3.500 8.500s-1 6-3.500 8.500c-2.500-2.500-3.500-5.300-3.500-8.500s1-6 3.500-8.500z"/>`,
  ticket: svg`<path d="M4 7h16v3.200a1.900 1.900 0 000 3.600V17H4v-3.200a1.900 1.900 0 000-3.600z"/><path d="M14.500 7.500v2M14.500 11.300v2M14.500 15v1.500"/>`,
  note: svg`<path d="M5.500 4.500h13v10l-5 5h-8zM13.500 19.500v-5h5M8.500 8.500h7M8.500 11.500h4"/>`,
  star: svg`<path d="M12 4l2.500 5.100 5.600.8-4 4 .9 5.600-5-2.700-5 2.700.9-5.600-4-4 5.600-.8z"/>`,
  block: svg`<circle cx="12" cy="12" r="8.500"/><path d="M6 6l12 12"/>`,
  search: svg`<circle cx="10.500" cy="10.500" r="6"/><path d="M15 15l5 5"/>`,
  download: svg`<path d="M12 4v11M7.500 10.800L12 15.300l4.500-4.500M4.500 19.500h15"/>`,
  company: svg`<path d="M4.500 20V5.500h9V20M13.500 10h6v10M3 20h18M7.500 9h3M7.500 12.500h3M7.500 16h3M16.500 13.500v.1M16.500 16.500v.1"/>`,
  more: svg`<path d="M5.500 12v.1M12 12v.1M18.500 12v.1" stroke-width="2.600"/>`,
  sent: svg`<path d="M4 12l16-7-5 15-3.500-6z"/>`,
  close: svg`<path d="M6 6l12 12M18 6L6 18"/>`,
  picture: svg`<rect x="3.500" y="5" width="17" height="14" rx="2"/><path d="M4 16l4.500-4.500 4 4 3-3 4.500 4.500"/><circle cx="15.500" cy="9.500" r="1.300"/>`,
  event: svg`<circle cx="12" cy="12" r="2.500"/>`,
  bell: svg`<path d="M6 16.500c1.200-1.200 1.500-2.600 1.500-5.500a4.500 4.500 0 019 0c0 2.900.3 4.300 1.500 5.500zM10 19.500c.5.700 1.200 1 2 1s1.500-.3 2-1"/>`,
  silent: svg`<path d="M6 16.500c1.200-1.200 1.500-2.600 1.500-5.500 0-1.300.5-2.400 1.300-3.200M11 6.600a4.500 4.500 0 015.500 4.400c0 1.500.1 2.600.3 3.400M14.500 16.500H6M10 19.500c.5.700 1.200 1 2 1s1.500-.3 2-1M4.500 4.500l15 15"/>`,
  sound: svg`<path d="M4.500 9.500v5h3.200L12 18.500v-13L7.700 9.500zM15 9.300a4 4 0 010 5.400M17.300 6.800a7.500 7.500 0 010 10.400"/>`,
  screen: svg`<rect x="3.500" y="5" width="17" height="11.500" rx="1.500"/><path d="M9 20h6M12 16.500V20"/>`,
};

export const glyph = (name) => html`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true">${DRAWN[name] ?? DRAWN.chat ?? nothing}</svg>`;
