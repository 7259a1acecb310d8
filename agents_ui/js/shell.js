// Where the console starts: reads what the page carries, fetches the language, draws the rail and the present screen.
// Screens, panels and keys are registered here; all but the inbox are modules of their own that come when needed.

import { _, get, ngettext, use } from './base.js';
import * as desk from './desk.js';
import { claim, connection, dismiss, may, me, resolve, setAvailability, state, toasts } from './desk.js';
import { move, open, select } from './list.js';
import { Part, action, aside, bring, follow, go, icon, listen, now, openPanel, panels, path, placed, route, screen, screens } from './parts.js';
import { queue } from './store.js';
import './thread.js';
import { write } from './composer.js';
import { html, nothing, repeat } from './vendor/lit.js';
import { computed, effect } from './vendor/signals-core.js';

const waiting = computed(() => queue(state.value).length);

// --- screens and keys -----------------------------------------------------------------------------------------------

screen({ name: 'inbox', at: /^\/inbox(?:\/(?<number>\d+))?$/, title: () => _('Inbox'), rail: { href: '/inbox', icon: 'inbox' }, order: 10 });
screen({
  name: 'queue', at: /^\/queue$/, title: () => _('Queue'), tag: 'p-queue', load: () => import('./queue.js'), css: 'queue.css', order: 20,
  rail: { href: '/queue', icon: 'queue', count: () => waiting.value, said: (n) => ngettext('{0} is waiting', '{0} are waiting', n) },
});

const help = { name: 'help', tag: 'p-help', load: () => import('./help.js'), css: 'help.css' };

action({ name: 'next', key: 'j, ArrowDown', where: 'list', text: () => _('Next ticket'), run: () => move(1) });
action({ name: 'previous', key: 'k, ArrowUp', where: 'list', text: () => _('Previous ticket'), run: () => move(-1) });
action({ name: 'open', key: 'Enter, o', where: 'list', text: () => _('Open it'), run: open });
action({ name: 'back', key: 'Escape', text: () => _('Back'), run: back });
action({ name: 'reply', key: 'r', where: 'thread', text: () => _('Reply'), run: () => write('reply'), able: () => may('tickets.reply') });
action({ name: 'note', key: 'n', where: 'thread', text: () => _('Note'), run: () => write('note'), able: () => may('tickets.note') });
action({ name: 'claim', key: 'c', where: 'thread', text: () => _('Claim'), run: claim, able: () => may('tickets.reply') });
action({ name: 'resolve', key: 'e', where: 'thread', text: () => _('Resolve'), run: resolve, able: () => may('tickets.change') });
action({ name: 'inbox', key: 'i, g i', text: () => _('To the inbox'), run: () => go('/inbox') });
action({ name: 'queue', key: 'q, g q', text: () => _('To the queue'), run: () => go('/queue') });
action({ name: 'fold', key: ']', where: 'thread', text: () => _('Show or hide the side panel'), run: fold, able: () => panels.value.length > 0 });
action({ name: 'keys', key: '?', text: () => _('This sheet'), run: keys, order: 90 });

function back() {
  const { number, screen: at } = route.value;
  if (number) {
    select(number, false);
    go(path(null));
  } else if (at !== 'inbox') {
    go('/inbox');
  }
}

let before = '';

function fold() {
  const first = panels.value[0]?.name ?? '';
  [aside.value, before] = openPanel.value ? ['', aside.value] : [before || first, before];
}

function keys() {
  bring(help).then(() => placed(help).show?.());
}

// --- the frame ------------------------------------------------------------------------------------------------------

class App extends Part {
  #screen = null;

  render() {
    const { screen: name, number } = route.value;
    const at = screens.value.find((one) => one.name === name);
    return html`<a class="skip" href="#main">${_('Skip to the content')}</a>
      <nav class="rail" aria-label=${_('Main')}>
        ${screens.value.filter((one) => one.rail).map((one) => this.#link({ ...one.rail, text: one.title(), here: one.name === name }))}
        ${this.#link({ href: '/settings', icon: 'settings', text: _('Settings') })}
        <span class="rail__gap"></span>
        <button class="rail__item rail__help" @click=${keys}>${icon('help')}<span>${_('Keys')}</span></button>
        ${this.#link({ href: '/settings/profile', icon: 'person', text: _('Profile') })}
      </nav>
      <header class="top"><bdi class="top__name">${me.value?.agent.name}</bdi><p-presence></p-presence></header>
      <p-connection></p-connection>
      <main id="main" tabindex="-1" class=${`panes panes--${name} ${number ? 'panes--open' : ''} ${number && openPanel.value ? 'panes--side' : ''}`}>${at?.tag ? placed(at) : html`
        <section class="pane pane--list" aria-label=${_('Tickets')}>${number ? nothing : html`<h1 class="sr">${_('Inbox')}</h1>`}<p-ticket-list></p-ticket-list></section>
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
    this.querySelector(number ? 'p-thread h1' : name === 'inbox' ? '.row--selected > a' : '.panes h1')?.focus();
  }

  #link({ href, icon: name, text, here, count, said }) {
    const number = count?.() ?? 0;
    return html`<a class="rail__item" href=${href} aria-current=${here ? 'page' : nothing}>${icon(name)}<span>${text}</span>
      ${number ? html`<b class="rail__count"><span aria-hidden="true">${number > 99 ? '99+' : number}</span><span class="sr">${said(number)}</span></b>` : nothing}</a>`;
  }
}

const nobody = () => html`<div class="empty empty--thread">${icon('inbox')}<p>${_('Choose a ticket to read it here.')}</p>
  <p class="faint">${_('Press ? for the keys.')}</p><p-first-run></p-first-run></div>`;

const side = (panel, number) => html`<aside class="pane pane--side" aria-labelledby="side-title">
  <header class="side__head"><h2 id="side-title">${panel.title()}</h2>
    <button class="tool" aria-label=${_('Close')} @click=${() => { aside.value = ''; }}>${icon('close')}</button></header>
  <div class="side__body">${placed(panel, { number })}</div></aside>`;

// --- presence, the line, news ---------------------------------------------------------------------------------------

/** Whether one takes work. */
class Presence extends Part {
  render() {
    const mine = me.value?.agent.availability ?? 'offline';
    const words = { online: _('Online'), busy: _('Busy'), away: _('Away'), offline: _('Offline') };
    return html`<label class="presence presence--${mine}">
      <span class="presence__dot" aria-hidden="true"></span>
      <span class="sr">${_('Your availability')}</span>
      <select @change=${(event) => setAvailability(event.target.value)}>
        ${Object.entries(words).map(([value, word]) => html`<option value=${value} .selected=${value === mine}>${word}</option>`)}
      </select>
    </label>`;
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

customElements.define('p-presence', Presence);
customElements.define('p-connection', Connection);
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
