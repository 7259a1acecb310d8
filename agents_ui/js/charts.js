// Small charts, drawn as bars of SVG and always with their figures as text beside. For the board and my day.

import { html, nothing, svg } from './vendor/lit.js';

const WIDE = 100, HIGH = 26; // of a row; the width is stretched to what there is

/**
 * Today beside another day, as pairs of bars.
 * @param {{title: string, rows: {label: string, today: number, before: number, say?: string}[], names: [string, string]}} given
 */
export function pairs({ title, rows, names }) {
  const most = Math.max(1, ...rows.flatMap(({ today, before }) => [today, before]));
  return html`<figure class="chart"><figcaption class="chart__head"><span>${title}</span>
      <span class="chart__key"><i class="chart__swatch"></i>${names[0]} <i class="chart__swatch chart__swatch--before"></i>${names[1]}</span></figcaption>
    <table class="pairs"><thead class="sr"><tr><th scope="col">${title}</th><td></td><th scope="col">${names[0]}</th><th scope="col">${names[1]}</th></tr></thead>
      <tbody>${rows.map(({ label, today, before }) => html`<tr><th scope="row">${label}</th>
        <td class="pairs__bars" aria-hidden="true"><svg viewBox=${`0 0 ${WIDE} ${HIGH}`} preserveAspectRatio="none">
          ${today ? svg`<rect class="chart__bar" x="0" y="2" height="12" rx=".6" width=${(WIDE * today) / most}/>` : nothing}
          ${before ? svg`<rect class="chart__before" x="0" y="17" height="6" rx=".4" width=${(WIDE * before) / most}/>` : nothing}</svg></td>
        <td class="pairs__now">${today}</td><td class="pairs__then">${before}</td></tr>`)}</tbody></table></figure>`;
}

/** How much of something is in use, as a bar with its figures. */
export const meter = (value, most, label) => html`<span class=${`meter ${value >= most ? 'meter--full' : ''}`}><span class="meter__bar" aria-hidden="true"><i .style=${`inline-size: ${most ? Math.min(100, (100 * value) / most) : 0}%`}></i></span>
  <span class="meter__text">${label}</span></span>`;
