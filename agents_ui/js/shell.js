// Where the console starts: reads what the page carries, fetches the language, draws the rail and the present screen.
// Screens, panels and keys are registered here; all but the inbox are modules of their own that come when needed.

import { _, get, ngettext, use } from './base.js';
import * as desk from './desk.js';
import { assign, claim, connection, dismiss, foresee, may, me, prefer, preferences, reopen, state, toasts, undo } from './desk.js';
import { catchUp, finish, menus, neighbour, picked, select, selected } from './list.js';
import { Part, action, actions, aside, avatar, bars, bring, follow, go, icon, kept, listen, now, openPanel, panel, panels, path, perform, placed, route, screen, screens } from './parts.js';
import { queue } from './store.js';
import './thread.js';
import { write } from './composer.js';
import { html, nothing, repeat } from './vendor/lit.js';
import { computed, effect, signal } from './vendor/signals-core.js';

const waiting = computed(() => queue(state.value).length);

// --- screens and keys -----------------------------------------------------------------------------------------------

screen({ name: 'inbox', at: /^\/inbox(?:\/(?<number>\d+))?$/, title: () => _('Inbox'), rail: { href: '/inbox', icon: 'inbox' }, order: 10 });
screen({
  name: 'queue', at: /^\/queue$/, title: () => _('Queue'), tag: 'p-queue', load: () => import('./queue.js'), css: 'queue.css', order: 20,
  rail: { href: '/queue', icon: 'queue', count: () => waiting.value, said: (n) => ngettext('{0} is waiting', '{0} are waiting', n) },
});

screen({
  name: 'contacts', at: /^\/contacts(?:\/(?<id>\d+))?$/, title: () => _('Contacts'), tag: 'p-contacts', load: () => import('./contacts.js'), css: 'contacts.css', order: 30,
  rail: { href: '/contacts', icon: 'contacts' }, able: () => may('contacts.read'),
});
screen({
  name: 'board', at: /^\/board$/, title: () => _('Board'), tag: 'p-board', load: () => import('./board.js'), css: 'board.css', order: 40,
  rail: { href: '/board', icon: 'board' }, able: () => may('tickets.read'),
});
screen({ name: 'day', at: /^\/day$/, title: () => _('My day'), tag: 'p-day', load: () => import('./day.js'), css: 'board.css', order: 5, rail: { href: '/day', icon: 'day' } });
screen({
  name: 'preferences', at: /^\/preferences$/, title: () => _('Preferences'), tag: 'p-preferences', load: () => import('./preferences.js'), css: 'preferences.css', order: 80,
});
panel({
  name: 'contact', title: () => _('Contact'), icon: 'person', tag: 'p-contact', load: () => import('./contact.js'), css: 'contacts.css', order: 10,
  able: () => may('contacts.read'),
});

/** The ticket that a key is about: the open one, else the chosen one of the list. */
const target = () => route.value.number ?? selected.value;
const on = (what) => () => target() && what(target());
/** Opens a menu at its button in the open ticket, else at the row. */
const menu = (name) => on((number) => menus().then((all) => all[name](document.querySelector(`[data-menu=${name}]`) ?? document.getElementById(`t${number}`), number)));
const changes = () => may('tickets.change');
const assigns = () => may('tickets.assign');
const replies = () => may('tickets.reply');

const take = (number) => (state.value.tickets[number]?.assignee_id == null ? claim(number) : assign(number, me.value.agent.id));

for (const given of [
  { name: 'ticket.resolve', key: 'e', text: () => _('Resolve'), run: on(finish), able: changes },
  { name: 'ticket.reopen', key: 'E', text: () => _('Reopen'), run: on(reopen), able: changes },
  { name: 'ticket.snooze', key: 's', text: () => _('Snooze'), run: menu('snooze'), opens: true, able: changes },
  { name: 'ticket.assign', key: 'a', text: () => _('Assign to…'), run: menu('assignee'), opens: true, able: assigns },
  { name: 'ticket.take', key: 'i, c', text: () => _('Take it'), run: on(take), able: replies },
  { name: 'ticket.team', key: 't', text: () => _('Team'), run: menu('team'), opens: true, able: assigns },
  { name: 'ticket.tags', key: 'l', text: () => _('Tags'), run: menu('tags'), opens: true, able: changes },
  { name: 'ticket.priority', key: 'p', text: () => _('Priority'), run: menu('urgency'), opens: true, able: changes },
  { name: 'ticket.spam', key: '!', text: () => _('Spam'), run: on((number) => import('./dialogs.js').then((d) => d.spam(number))), opens: true, able: changes },
  { name: 'ticket.merge', text: () => _('Merge into another ticket…'), run: on((number) => import('./dialogs.js').then((d) => d.merge(number))), opens: true, able: changes },
  { name: 'ticket.more', key: '.', text: () => _('More'), run: menu('more'), opens: true },
]) action({ where: 'list', group: 'ticket', ...given });

for (const given of [
  { name: 'thread.reply', key: 'r', text: () => _('Reply'), run: () => write('reply'), able: replies },
  { name: 'thread.note', key: 'n', text: () => _('Note'), run: () => write('note'), able: () => may('tickets.note') },
  { name: 'thread.next', key: 'J', text: () => _('Next conversation'), run: () => turn(1) },
  { name: 'thread.previous', key: 'K', text: () => _('Previous conversation'), run: () => turn(-1) },
  { name: 'fold.contact', key: ']', text: () => _('Show or hide the side panel'), run: fold, able: () => panels.value.length > 0 },
]) action({ where: 'thread', group: 'thread', ...given });

for (const given of [
  { name: 'go.inbox', key: 'g i', text: () => _('To the inbox'), run: () => go('/inbox') },
  { name: 'go.mine', key: 'g m', text: () => _('To mine'), run: () => go('/inbox?view=mine') },
  { name: 'go.unassigned', key: 'g u', text: () => _('To what is unassigned'), run: () => go('/inbox?view=unassigned') },
  { name: 'go.queue', key: 'q, g q', text: () => _('To the queue'), run: () => go('/queue') },
  { name: 'go.settings', key: 'g s', text: () => _('To the settings'), run: () => location.assign('/settings') },
  { name: 'fold.views', key: '[', text: () => _('Show or hide the views'), run: () => { views.value = views.value === 'open' ? 'folded' : 'open'; } },
  { name: 'back', key: 'Escape', text: () => _('Back'), run: back },
  { name: 'undo', key: 'z', text: () => _('Undo'), run: undo },
]) action({ group: 'global', ...given });

/** Whether the views stand beside the list. */
export const views = kept('views', 'open');

/** One layer after the other: what waits in the list, what is selected, the open ticket, the screen. */
function back() {
  const { number, screen: at } = route.value;
  if (catchUp()) return;
  if (picked.value.size) {
    picked.value = new Set();
  } else if (number) {
    select(number, false);
    go(path(null));
  } else if (at !== 'inbox') {
    go('/inbox');
  }
}

function turn(by) {
  const next = neighbour(by);
  if (!next) return;
  select(next, false);
  go(path(next));
}

let before = '';

function fold() {
  const first = panels.value[0]?.name ?? '';
  [aside.value, before] = openPanel.value ? ['', aside.value] : [before || first, before];
}

const keys = () => perform(actions.value.find((one) => one.name === 'help'));

// --- the frame ------------------------------------------------------------------------------------------------------

class App extends Part {
  #screen = null;

  render() {
    const { screen: name, number } = route.value;
    const at = screens.value.find((one) => one.name === name);
    const shape = ['panes', `panes--${name}`, number && 'panes--open', number && openPanel.value && 'panes--side', views.value !== 'open' && 'panes--folded'];
    return html`<a class="skip" href="#main">${_('Skip to the content')}</a>
      <nav class="rail" aria-label=${_('Main')}>
        <a class="rail__mark" href="/inbox" aria-label="Parley">${mark}</a>
        ${screens.value.filter((one) => one.rail).map((one) => this.#link({ ...one.rail, text: one.title(), here: one.name === name }))}
        <span class="gap"></span>
        <button class="rail__item rail__help" @click=${keys}>${icon('keys')}<span>${_('Keys')}</span></button>
        ${this.#link({ href: '/settings', icon: 'settings', text: _('Settings') })}
      </nav>
      <header class="bar">${bars.value.map((one) => placed(one))}
        <a class="bar__me" href="/settings/profile" title=${me.value?.agent.name} aria-label=${_('Profile')}>${avatar(me.value?.agent.name, me.value?.agent.id)}</a></header>
      <div class="banners"><p-connection></p-connection><p-offer></p-offer></div>
      <main id="main" tabindex="-1" class=${shape.filter(Boolean).join(' ')}>${at?.tag ? placed(at) : html`
        <div class="pane pane--views"><p-views></p-views></div>
        <section class="pane pane--list" aria-label=${_('Tickets')}><p-ticket-list></p-ticket-list>${edge()}</section>
        <section class="pane pane--thread" aria-label=${_('Conversation')}>${number ? html`<p-thread></p-thread>` : nobody()}</section>
        ${number && openPanel.value ? side(openPanel.value, number) : nothing}`}
      </main>
      <p-toast></p-toast>`;
  }

  updated() {
    const { screen: name, number } = route.value;
    const here = `${name} ${number}`;
    const title = screens.value.find((one) => one.name === name)?.title() ?? '';
    document.title = [waiting.value ? `(${waiting.value})` : '', number ? `#${number}` : title, '· Parley'].join(' ').trim();
    if (this.#screen && this.#screen !== here) setTimeout(() => this.#arrive());
    this.#screen = here;
  }

  /** The focus goes along to a new screen. */
  #arrive() {
    const { screen: name, number } = route.value;
    this.querySelector(number ? 'p-thread h1' : name === 'inbox' ? '.rows' : '.panes h1')?.focus({ preventScroll: true });
  }

  #link({ href, icon: name, text, here, count, said }) {
    const number = count?.() ?? 0;
    return html`<a class="rail__item" href=${href} aria-current=${here ? 'page' : nothing}>${icon(name)}<span>${text}</span>
      ${number ? html`<b class="rail__count"><span aria-hidden="true">${number > 99 ? '99+' : number}</span><span class="sr">${said(number)}</span></b>` : nothing}</a>`;
  }
}

// --- how wide the list is -------------------------------------------------------------------------------------------

const NARROW = 260, WIDE = 560, STEP = 20; // pixels

const fits = (px) => Math.max(NARROW, Math.min(WIDE, Math.round(px)));
const wide = signal(null); // while it is drawn
const width = computed(() => wide.value ?? preferences.value.panels?.list ?? null);

effect(() => {
  if (width.value) document.documentElement.style.setProperty('--list', `${width.value}px`);
});

/** The edge between list and conversation: drawn, or moved by arrows; a double click puts it back. */
function edge() {
  const keep = (px) => {
    prefer({ panels: { ...preferences.value.panels, list: fits(px) } });
    wide.value = null;
  };
  const drag = (event) => {
    const handle = event.currentTarget, from = event.clientX, before = handle.parentElement.offsetWidth, turned = document.documentElement.dir === 'rtl' ? -1 : 1;
    handle.setPointerCapture(event.pointerId);
    handle.onpointermove = ({ clientX }) => { wide.value = fits(before + (clientX - from) * turned); };
    handle.onpointerup = handle.onpointercancel = () => {
      handle.onpointermove = handle.onpointerup = handle.onpointercancel = null;
      if (wide.value) keep(wide.value);
    };
  };
  const step = (event) => {
    const turned = document.documentElement.dir === 'rtl' ? -1 : 1, by = { ArrowRight: STEP, ArrowLeft: -STEP }[event.key];
    if (!by) return;
    event.preventDefault();
    keep(event.currentTarget.parentElement.offsetWidth + by * turned);
  };
  return html`<div class="edge" role="separator" tabindex="0" aria-orientation="vertical" aria-label=${_('Width of the list')} aria-valuemin=${NARROW} aria-valuemax=${WIDE}
    aria-valuenow=${width.value ?? 345} @pointerdown=${drag} @keydown=${step} @dblclick=${() => keep(345)}></div>`;
}

const mark = html`<svg viewBox="0 0 32 32" aria-hidden="true" fill="none" stroke="currentColor" stroke-width="2.400" stroke-linejoin="round"><path
  d="M4 7.500h17v11H12l-5 4.500v-4.500H4z"/><path d="M24.500 11.500H28v12h-2.500v4l-4.500-4H13"/></svg>`;

const nobody = () => html`<div class="empty empty--thread">${icon('inbox')}<p>${_('Choose a ticket to read it here.')}</p>
  <p class="faint">${_('Press ? for the keys.')}</p><p-first-run></p-first-run></div>`;

const side = (panel, number) => html`<aside class="pane pane--side" aria-labelledby="side-title">
  <header class="side__head"><h2 id="side-title">${panel.title()}</h2>
    <button class="tool" aria-label=${_('Close')} @click=${() => { aside.value = ''; }}>${icon('close')}</button></header>
  <div class="side__body">${placed(panel, { number })}</div></aside>`;

// --- offers, the line, news ---------------------------------------------------------------------------------------

/** A ticket that is offered to oneself: it rings until it is accepted, declined or passes on, on every screen. */
class Offer extends Part {
  render() {
    const mine = Object.values(state.value.tickets).find((ticket) => ticket.offered_to != null && ticket.offered_to === me.value?.agent.id);
    if (!mine || route.value.screen === 'queue') return nothing;
    const name = mine.contact_name || _('No name');
    const left = mine.offered_until ? Math.max(0, Math.ceil((mine.offered_until - now.value) / 1000)) : null;
    const take = async () => { if (await desk.accept(mine)) go(`/inbox/${mine.number}`); };
    return html`<section class="offer" role="alert" aria-label=${_('Offered to you')}>
      ${avatar(name, mine.contact_id)}
      <div class="offer__what"><b><bdi>${name}</bdi></b> <span class="offer__words" dir="auto">${mine.last_text || mine.subject}</span></div>
      ${left === null ? nothing : html`<span class="offer__left" aria-hidden="true">${ngettext('{0} second', '{0} seconds', left)}</span>`}
      <button class="button" @click=${take}>${_('Accept')}</button>
      <button class="button button--plain" @click=${() => desk.decline(mine.number)}>${_('Decline')}</button>
    </section>`;
  }
}

const PATIENCE = 2_000, LONG = 60_000;

const going = computed(() => Object.values(state.value.outbox).filter((entry) => entry.state === 'sending').length);
const lasts = computed(() => (connection.value.state === 'live' || !connection.value.since ? 0 : now.value - connection.value.since));
const cut = computed(() => (lasts.value < PATIENCE ? '' : lasts.value > LONG ? 'long' : 'short'));

/** Says that the line to the desk is broken, once that has lasted two seconds. */
class Connection extends Part {
  render() {
    return html`<div role="status">${cut.value ? this.#banner() : ''}</div>`;
  }

  #banner() {
    return html`<div class="banner">
      <span>${_('Reconnecting…')}
        ${going.value ? ngettext('{0} message is waiting to be sent.', '{0} messages are waiting to be sent.', going.value) : ''}</span>
      ${cut.value === 'long' ? html`<button class="quiet" @click=${() => location.reload()}>${_('Reload the page')}</button>` : ''}
    </div>`;
  }
}

/** Short news at the foot of the window, some of which may be undone. role=status: read out, never in the way. */
class Toast extends Part {
  render() {
    return html`<div class="toasts" role="status">${repeat(toasts.value, (one) => one.key, (one) => this.#one(one))}</div>`;
  }

  #one({ key, text, action: doing }) {
    const run = () => {
      dismiss(key);
      doing.run();
    };
    return html`<div class="toast">
      <span dir="auto">${text}</span>
      ${doing ? html`<button class="quiet" @click=${run}>${doing.label}</button>` : nothing}
      <button class="quiet" aria-label=${_('Close')} @click=${() => dismiss(key)}>×</button>
    </div>`;
  }
}

customElements.define('p-connection', Connection);
customElements.define('p-offer', Offer);
customElements.define('p-toast', Toast);
customElements.define('p-app', App);

// --- start ----------------------------------------------------------------------------------------------------------

const boot = JSON.parse(document.getElementById('boot').textContent);

await get(boot.catalogue).then(use, () => {}); // English is better than nothing
follow();
listen();
document.getElementById('console').replaceChildren(document.createElement('p-app'));
desk.start(boot);
if (boot.first_run) bring({ name: 'first_run', load: () => import('./first_run.js'), css: 'first_run.css' });
effect(() => {
  void route.value;
  queueMicrotask(desk.look);
});
import('./later.js').catch(() => {}); // without it the inbox works; a reload brings it
effect(() => { document.documentElement.dataset.theme = preferences.value.theme; });
const opened = computed(() => (state.value.threads[route.value.number]?.loaded ? route.value.number : null));
effect(() => {
  const number = opened.value;
  if (number) setTimeout(() => route.peek().number === number && foresee([neighbour(1), neighbour(-1)].filter(Boolean)), 400);
});
