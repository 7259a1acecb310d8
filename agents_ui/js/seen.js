// On an inbox's page: copies the line, and shows by itself that the first page has loaded it.

import { get } from './base.js';

const EVERY = 3_000;
const line = document.getElementById('line');
const copy = document.getElementById('copy');
const known = document.getElementById('seen');

if (copy && navigator.clipboard) {
  copy.hidden = false;
  copy.addEventListener('click', async () => {
    await navigator.clipboard.writeText(line.textContent);
    copy.textContent = copy.dataset.done;
  });
}

const told = (sites) => JSON.stringify(sites.map(({ site, allowed }) => [site, allowed]).sort());
let typed = false;
document.addEventListener('input', () => { typed = true; });

async function look() {
  if (document.hidden || typed) return;
  const { sites } = await get(`${location.pathname}/seen`).catch(() => ({ sites: null }));
  if (sites && !typed && told(sites) !== told(JSON.parse(known.textContent).sites)) location.reload();
}

if (known) setInterval(look, EVERY);
