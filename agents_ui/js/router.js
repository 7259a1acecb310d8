// Which screen is shown: the address is the state. Links of the console's own screens are followed without a page load.

import { computed, signal } from './vendor/signals-core.js';

const SCREENS = /^\/(inbox|queue)(?:\/(\d+))?$/;

const here = signal(location.pathname + location.search);

export const route = computed(() => {
  const url = new URL(here.value, location.origin);
  const [, screen = 'inbox', number] = SCREENS.exec(url.pathname) ?? [];
  return { screen, number: number ? Number(number) : null, view: url.searchParams.get('view') ?? 'open' };
});

export function go(path) {
  if (path === here.value) return;
  history.pushState(null, '', path);
  here.value = path;
}

/** The address of a ticket, or of the list, within a view. */
export function path(number, view = route.value.view) {
  return `/inbox${number ? `/${number}` : ''}${view === 'open' ? '' : `?view=${view}`}`;
}

export function listen() {
  addEventListener('popstate', () => { here.value = location.pathname + location.search; });
  document.addEventListener('click', (event) => {
    const link = event.target.closest?.('a[href]');
    if (!link || event.button || event.metaKey || event.ctrlKey || event.shiftKey || link.target) return;
    const url = new URL(link.href);
    if (url.origin !== location.origin || url.hash || !SCREENS.test(url.pathname)) return;
    event.preventDefault();
    go(url.pathname + url.search);
  });
}
