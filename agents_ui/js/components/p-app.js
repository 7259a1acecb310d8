// The shell: rail, list and thread, or the queue. Below 768 px one of them at a time. The keyboard is wired here.

import { claim, may, me, resolve } from '../desk.js';
import { _, ngettext } from '../i18n.js';
import { icon } from '../icons.js';
import { listen } from '../keys.js';
import { Part } from '../part.js';
import { go, path, route } from '../router.js';
import { html, nothing } from '../vendor/lit.js';
import { computed } from '../vendor/signals-core.js';
import { write } from './p-composer.js';
import './p-connection.js';
import { letters } from './p-help.js';
import './p-presence.js';
import { take, waiting } from './p-queue.js';
import { move, open, selected } from './p-ticket-list.js';
import './p-thread.js';
import './p-toast.js';

const count = computed(() => waiting.value.length);

class App extends Part {
  #screen = null;

  firstUpdated() {
    listen({
      j: () => move(1), ArrowDown: () => move(1), k: () => move(-1), ArrowUp: () => move(-1),
      Enter: enter, o: open, r: () => inThread(() => write('reply')), n: () => inThread(() => write('note')),
      e: () => inThread((number) => may('tickets.change') && resolve(number)),
      c: () => inThread((number) => may('tickets.reply') && claim(number)),
      i: () => go('/inbox'), q: () => go('/queue'), Escape: back, '?': () => this.querySelector('p-help').show(),
    }, () => letters.value);
  }

  render() {
    const { screen, number } = route.value;
    return html`<a class="skip" href="#main">${_('Skip to the content')}</a>
      <nav class="rail" aria-label=${_('Main')}>
        ${this.#link('/inbox', 'inbox', _('Inbox'), screen === 'inbox')}
        ${this.#link('/queue', 'queue', _('Queue'), screen === 'queue', count.value)}
        ${this.#link('/settings/inboxes', 'settings', _('Settings'), false)}
        <span class="rail__gap"></span>
        <button class="rail__item rail__help" @click=${() => this.querySelector('p-help').show()}>${icon('help')}<span>${_('Keys')}</span></button>
        ${this.#link('/settings/profile', 'person', _('Profile'), false)}
      </nav>
      <header class="top"><bdi class="top__name">${me.value?.agent.name}</bdi><p-presence></p-presence></header>
      <p-connection></p-connection>
      <main id="main" tabindex="-1" class=${`panes panes--${screen} ${number ? 'panes--open' : ''}`}>${screen === 'queue'
        ? html`<p-queue></p-queue>` : html`<section class="pane pane--list" aria-label=${_('Tickets')}>${number ? nothing : html`<h1 class="sr">${_('Inbox')}</h1>`}<p-ticket-list></p-ticket-list></section>
          <section class="pane pane--thread" aria-label=${_('Conversation')}>${number ? html`<p-thread></p-thread>` : nobody()}</section>`}
      </main>
      <p-toast></p-toast><p-help></p-help>`;
  }

  updated() {
    const { screen, number } = route.value;
    const here = `${screen} ${number}`;
    document.title = [count.value ? `(${count.value})` : '', number ? `#${number}` : screen === 'queue' ? _('Queue') : _('Inbox'), '· Parley'].join(' ').trim();
    if (this.#screen && this.#screen !== here) setTimeout(() => this.#arrive());
    this.#screen = here;
  }

  /** The focus goes along to a new screen. */
  #arrive() {
    const { screen, number } = route.value;
    this.querySelector(number ? 'p-thread h1' : screen === 'queue' ? 'p-queue h1' : '.row--selected > a')?.focus();
  }

  #link(href, name, text, here, number = 0) {
    return html`<a class="rail__item" href=${href} aria-current=${here ? 'page' : nothing}>${icon(name)}<span>${text}</span>
      ${number ? html`<b class="rail__count"><span aria-hidden="true">${number > 99 ? '99+' : number}</span><span class="sr">${ngettext('{0} is waiting', '{0} are waiting', number)}</span></b>` : nothing}</a>`;
  }
}

const nobody = () => html`<div class="empty empty--thread">${icon('inbox')}<p>${_('Choose a ticket to read it here.')}</p>
  <p class="faint">${_('Press ? for the keys.')}</p></div>`;

function inThread(what) {
  const number = route.value.number;
  if (number) what(number);
}

function enter() {
  if (route.value.screen === 'queue') {
    if (waiting.value[0] && may('tickets.reply')) take(waiting.value[0]);
  } else {
    open();
  }
}

function back() {
  if (route.value.number) {
    selected.value = route.value.number;
    go(path(null));
  } else if (route.value.screen === 'queue') {
    go('/inbox');
  }
}

customElements.define('p-app', App);
