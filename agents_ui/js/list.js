// The views and the list of tickets. Only the rows in sight are drawn, so that ten thousand cost as much as twenty. The order stands
// still under the pointer and under the focus; the selection is a ticket, not a place.

import { _, exact, ngettext, short, waited } from './base.js';
import { agents, agentName, busy, colourOf, complete, counts, drafted, inboxes, isOpen, markUnread, me, page, pages, preferences, ready, resolve, state, teams } from './desk.js';
import { Part, action, avatar, go, icon, kept, path, route, skeleton, soon } from './parts.js';
import { SORTS, VIEWS, arranged, unread, wanted } from './store.js';
import { classMap, html, nothing, repeat } from './vendor/lit.js';
import { computed, effect, signal } from './vendor/signals-core.js';

export const FIELDS = ['status', 'priority', 'assignee_id', 'team_id', 'inbox_id', 'tag', 'unread'];
const OVER = 6; // rows drawn beyond what is in sight
const AHEAD = 30; // rows before the end at which the next page is fetched

// --- what is listed -------------------------------------------------------------------------------------------------

export const sort = kept('sort', 'newest');

/** What the address asks for. */
export const want = computed(() => {
  const { view, query } = route.value;
  const filter = Object.fromEntries(FIELDS.map((field) => [field, query.get(field)?.split(',').filter(Boolean)]).filter(([, values]) => values?.length));
  const wish = query.get('sort') ?? sort.value, whole = complete({ view, filter });
  // What is due first the desk does not sort by: that is for lists that are here as a whole.
  const by = !SORTS[wish] || !isOpen({ view, filter }) ? 'newest' : wish === 'due' && !whole ? 'oldest_waiting' : wish;
  const name = JSON.stringify([view, filter, by]), far = pages.value[name];
  // As far as the snapshot goes, everything that is open is here.
  const edge = by === 'newest' && isOpen({ view, filter }) ? state.value.last : null;
  const until = far?.next === null ? null : far?.until && edge && SORTS.newest(far.until, edge) > 0 ? far.until : edge ?? far?.until ?? null;
  return { key: name, view, filter, sort: by, until };
});

let last = null;
const order = computed(() => {
  // A further page is another list as far as `arranged` is concerned: what lay behind its end belongs to it now.
  const asked = { ...want.value, key: `${want.value.key} ${want.value.until?.number ?? ''}` };
  last = arranged(last, state.value, asked);
  return last;
});

const held = signal(null); // {key, rev, numbers}: the order that stands still
let prior = { key: '', numbers: [] };

export const shown = computed(() => {
  const { key } = want.value, now = order.value.numbers, stands = held.value;
  let numbers = stands?.key === key ? stands.numbers : now;
  // The open ticket stays where it was until one goes on, even if it belongs elsewhere now.
  const open = route.value.number, at = prior.key === key && open ? prior.numbers.indexOf(open) : -1;
  if (at >= 0 && state.value.tickets[open] && !numbers.includes(open)) numbers = numbers.toSpliced(Math.min(at, numbers.length), 0, open);
  prior = { key, numbers };
  return numbers;
});

/** How many tickets have come, gone or moved while the order stood still. */
const pending = computed(() => {
  const stands = held.value, { rev, log } = state.value;
  if (!stands || stands.key !== want.value.key || rev === stands.rev) return 0;
  if (rev - stands.rev > log.length) return log.length;
  const changed = new Set(log.slice(stands.rev - rev));
  const now = order.value.numbers;
  const before = (numbers, at) => { while (--at >= 0 && changed.has(numbers[at])); return numbers[at]; };
  return [...changed].filter((number) => {
    const was = stands.numbers.indexOf(number), is = now.indexOf(number);
    return (was < 0) !== (is < 0) || (was >= 0 && before(stands.numbers, was) !== before(now, is));
  }).length;
});

const hold = () => {
  if (!held.value && order.value.numbers.length) held.value = { key: want.value.key, rev: state.value.rev, numbers: shown.value };
};

/** The order as it is now. → whether that changes anything */
export function catchUp() {
  const changes = pending.value > 0;
  if (held.value) held.value = { key: want.value.key, rev: state.value.rev, numbers: order.value.numbers };
  return changes;
}

/** Where the selection is: the chosen row, else the open one, else the first. */
export const selected = signal(null);
const active = computed(() => [selected.value, route.value.number].find((number) => number && shown.value.includes(number)) ?? shown.value[0] ?? null);

/** Several, to do one thing with all of them. */
export const picked = signal(new Set());
let anchor = null;

effect(() => { if (picked.value.size) import('./bulk.js'); });

export function pick(number, on = !picked.value.has(number)) {
  const next = new Set(picked.value);
  if (on) next.add(number);
  else next.delete(number);
  anchor = number;
  picked.value = next;
}

function pickTo(number) {
  const [a, b] = [shown.value.indexOf(anchor ?? active.value), shown.value.indexOf(number)].sort((x, y) => x - y);
  picked.value = new Set([...picked.value, ...shown.value.slice(Math.max(0, a), b + 1)]);
}

// --- moving through it ----------------------------------------------------------------------------------------------

const rows = () => document.querySelector('.rows');
const inList = () => Boolean(document.activeElement?.closest('.rows')) || route.value.number == null;

export function select(number, focus = true) {
  if (number == null) return;
  selected.value = number;
  document.querySelector('p-ticket-list')?.reveal(number);
  if (focus) rows()?.focus({ preventScroll: true });
}

/** So many rows up or down; Infinity: to the end. */
export function move(by) {
  const numbers = shown.value;
  const at = numbers.indexOf(selected.value ?? route.value.number);
  const next = by === Infinity ? numbers.length - 1 : by === -Infinity || at < 0 ? 0 : Math.max(0, Math.min(numbers.length - 1, at + by));
  select(numbers[next]);
}

export function open() {
  if (active.value) go(path(active.value));
}

/** The ticket before or after the open one. */
export function neighbour(by) {
  const at = shown.value.indexOf(route.value.number);
  return shown.value[at < 0 ? 0 : at + by] ?? null;
}

/** It is done: on to what comes next, as this agent likes it. */
export async function finish(number) {
  const next = neighbour(1) ?? neighbour(-1);
  if (!(await resolve(number)) || route.value.number !== number) return;
  const then = preferences.value.after_resolve;
  if (then === 'list') go(path(null));
  else if (then !== 'stay' && next) go(path(next));
}

function extend(by) {
  if (active.value) pick(active.value, true);
  move(by);
  if (active.value) pick(active.value, true);
}

function turn(by) {
  const { view } = route.value;
  go(path(null, { view: VIEWS.at((VIEWS.indexOf(view) + by) % VIEWS.length) }));
}

const perPage = () => Math.max(1, Math.floor((rows()?.clientHeight ?? 0) / rowHeight) - 1);

for (const given of [
  { name: 'list.next', key: 'j, ArrowDown', text: () => _('Next ticket'), run: () => move(1) },
  { name: 'list.previous', key: 'k, ArrowUp', text: () => _('Previous ticket'), run: () => move(-1) },
  { name: 'list.first', key: 'Home', text: () => _('First ticket'), run: () => move(-Infinity), able: inList },
  { name: 'list.last', key: 'End', text: () => _('Last ticket'), run: () => move(Infinity), able: inList },
  { name: 'list.page_down', key: 'PageDown', text: () => _('A page down'), run: () => move(perPage()), able: inList },
  { name: 'list.page_up', key: 'PageUp', text: () => _('A page up'), run: () => move(-perPage()), able: inList },
  { name: 'list.open', key: 'Enter, o', text: () => _('Open it'), run: open },
  { name: 'list.open_tab', key: 'Shift+Enter', text: () => _('Open it in a new tab'), run: () => window.open(path(active.value)) },
  { name: 'list.select', key: 'x', text: () => _('Select it'), run: () => active.value && pick(active.value) },
  { name: 'list.extend_down', key: 'J', text: () => _('Select the next too'), run: () => extend(1), able: inList },
  { name: 'list.extend_up', key: 'K', text: () => _('Select the one before too'), run: () => extend(-1), able: inList },
  { name: 'list.select_all', key: 'Mod+a', text: () => _('Select all'), run: () => { picked.value = new Set(shown.value); }, able: inList },
  { name: 'view.next', key: 'b', text: () => _('Next view'), run: () => turn(1) },
  { name: 'view.previous', key: 'B', text: () => _('Previous view'), run: () => turn(-1) },
  { name: 'ticket.unread', key: 'u', text: () => _('Mark as unread'), run: () => active.value && markUnread(route.value.number ?? active.value) },
]) action({ where: 'list', group: 'list', ...given });

// --- the views ------------------------------------------------------------------------------------------------------

const ICONS = {
  mine: 'person', unassigned: 'inbox', open: 'chat', waiting: 'queue', mentions: 'at', snoozed: 'snooze', resolved: 'resolve', spam: 'spam', all: 'views',
};

export function title(view) {
  return {
    mine: _('Mine'), unassigned: _('Unassigned'), open: _('All open'), waiting: _('Waiting'), mentions: _('Mentions'), snoozed: _('Snoozed'),
    resolved: _('Resolved'), spam: _('Spam'), all: _('Everything'), following: _('Following'),
  }[view] ?? view;
}

const many = (n) => (n > 999 ? _('999+') : String(n));

/** The filter of a saved view, as an address has it. */
const asQuery = ({ filter = {}, sort: by }) => ({ view: filter.view ?? 'all', ...Object.fromEntries(Object.entries(filter).map(([field, value]) => [field, String(value === true ? 1 : value)])), sort: by });

/** Where a saved view is. */
export const address = (saved) => path(null, asQuery(saved));

const same = (query, saved) => {
  const wish = new URL(address(saved), location.origin).searchParams;
  return wish.size === query.size && [...wish].every(([field, value]) => query.get(field) === value);
};

/** The saved view that the address is. */
const savedHere = computed(() => Object.values(state.value.views).find((one) => same(route.value.query, one)) ?? null);

class Views extends Part {
  render() {
    const { view } = route.value;
    const saved = Object.values(state.value.views).sort((a, b) => a.name.localeCompare(b.name));
    return html`<nav class="views" aria-label=${_('Views')}>
      <ul>${VIEWS.map((one) => this.#link(path(null, { view: one }), ICONS[one], title(one), one === view && !savedHere.value, counts.value?.[one]))}</ul>
      ${saved.length ? html`<h2 class="views__title">${_('Saved views')}</h2>
        <ul>${saved.map((one) => this.#link(address(one), 'filter', one.name, one.id === savedHere.value?.id))}</ul>` : nothing}
    </nav>`;
  }

  #link(href, name, text, here, number = 0) {
    return html`<li><a href=${href} aria-current=${here ? 'page' : nothing}>${icon(name)}<bdi>${text}</bdi>
      ${number ? html`<span class="views__count">${many(number)}</span>` : nothing}</a></li>`;
  }
}

// --- the list -------------------------------------------------------------------------------------------------------

let rowHeight = 76;

class TicketList extends Part {
  #top = 0; #height = 800; #due = 0; #key = ''; #sizes = null; #leave = 0;

  render() {
    const { view, number } = route.value;
    const list = shown.value, at = active.value;
    return html`${this.#head(view, number)}
      ${picked.value.size ? html`<p-bulk></p-bulk>` : this.#narrowed()}
      <div class="rows__news" role="status">${pending.value ? html`<button class="pill" @click=${() => { catchUp(); this.#toTop(); }}>${icon('up')}
        ${ngettext('{0} update', '{0} updates', pending.value)}<kbd>Esc</kbd></button>` : nothing}</div>
      ${ready.value ? nothing : skeleton()}
      <div class=${`rows rows--${preferences.value.density}`} role="grid" tabindex="0" aria-multiselectable="true" aria-label=${title(view)}
        aria-rowcount=${list.length} aria-activedescendant=${at ? `t${at}` : nothing} @scroll=${this.#scrolled}
        @pointerenter=${(event) => event.pointerType === 'mouse' && this.#stay()} @pointerleave=${this.#go} @focusin=${this.#stay} @focusout=${this.#go}>
 <i class="rows__one" role="presentation"></i>
        <div class="rows__space" role="presentation" .style=${`block-size:${list.length * rowHeight}px`}></div>
        ${repeat(this.#window(list, at), (place) => list[place], (place) => this.#row(list[place], place, at, number))}
      </div>
      ${ready.value && !list.length ? this.#empty(view) : nothing}`;
  }

  #row(number, place, at, open) {
    const ticket = state.value.tickets[number];
    if (!ticket) return html`<div class="row row--gone" role="row" id=${`t${number}`} .style=${`transform:translateY(${place * rowHeight}px)`}></div>`;
    return row(ticket, { place, active: number === at, current: number === open, gone: !wanted(state.value, want.value, ticket), chosen: picked.value.has(number) });
  }

  /** The places that are drawn: those in sight and a few more, and where the selection is. */
  #window(list, at) {
    const from = Math.max(0, Math.floor(this.#top / rowHeight) - OVER), to = Math.min(list.length, Math.ceil((this.#top + this.#height) / rowHeight) + OVER);
    const places = Array.from({ length: Math.max(0, to - from) }, (_n, i) => from + i);
    const active_ = list.indexOf(at);
    if (active_ >= 0 && active_ < from) places.unshift(active_);
    else if (active_ >= to) places.push(active_);
    return places;
  }

  #head(view, number) {
    const saved = savedHere.value, name = saved?.name ?? title(view), count = saved ? null : counts.value?.[view];
    return html`<header class="list__head">
      ${number ? html`<p class="list__title"><bdi>${name}</bdi></p>` : html`<h1 class="list__title" tabindex="-1"><bdi>${name}</bdi></h1>`}
      <button class="list__views" popovertarget="views" aria-label=${_('Views')}>${icon('down')}</button>
      ${count ? html`<span class="list__count">${many(count)}</span>` : nothing}
      <span class="gap"></span>
      <button class="tool" title=${_('Filter')} aria-label=${_('Filter')} aria-haspopup="dialog" @click=${(event) => menus().then((m) => m.filter(event.target.closest('button')))}>${icon('filter')}</button>
      <button class="tool" title=${_('Order and density')} aria-label=${_('Order and density')} aria-haspopup="dialog" @click=${(event) => menus().then((m) => m.arrange(event.target.closest('button')))}>${icon('sort')}</button>
    </header>
    <div id="views" popover class="list__popover" @click=${(event) => event.target.closest('a') && event.currentTarget.hidePopover()}><p-views></p-views></div>`;
  }

  /** What the list is narrowed to, each with a way out of it. */
  #narrowed() {
    const given = Object.entries(want.value.filter).flatMap(([field, values]) => values.map((value) => [field, value]));
    if (!given.length) return nothing;
    return html`<ul class="narrow" aria-label=${_('Filters')}>${given.map(([field, value]) => html`<li><button class="narrow__one"
        aria-label=${_('Remove the filter {0}', named(field, value))} @click=${() => toggle(field, value)}><bdi>${named(field, value)}</bdi>${icon('close')}</button></li>`)}
      <li><a class="narrow__all" href=${path(null, { view: want.value.view })}>${_('Clear')}</a></li>
      ${savedHere.value ? this.#saved(savedHere.value) : html`<li><button class="narrow__all" @click=${() => menus().then((m) => m.saveView())}>${_('Save as a view')}</button></li>`}</ul>`;
  }

  #saved(saved) {
    if (saved.agent_id !== me.value.agent.id) return nothing;
    return html`<li><button class="narrow__all" @click=${() => import('./dialogs.js').then((d) => d.deleteView(saved))}>${_('Delete the view')}</button></li>`;
  }

  #empty(view) {
    const failed = pages.value[want.value.key]?.failed;
    if (failed) return html`<div class="empty" role="alert"><p dir="auto">${failed}</p><button class="button button--plain" @click=${() => page(want.value)}>${_('Try again')}</button></div>`;
    if (busy.value || (!complete(want.value) && !pages.value[want.value.key])) return skeleton();
    return empty(view, Object.keys(want.value.filter).length > 0);
  }

  // --- place and size ---

  willUpdate() {
    if (this.#key === want.value.key) return;
    this.#key = want.value.key;
    this.#top = 0;
    held.value = null;
    picked.value = new Set();
    queueMicrotask(() => this.#toTop());
  }

  updated() {
    const box = rows();
    if (!this.#sizes && box) {
      this.#sizes = new ResizeObserver(() => this.#measure());
      this.#sizes.observe(box);
    }
    if (this.#density !== preferences.value.density) this.#measure();
    this.#more();
  }

  #density = '';

  #measure() {
    const box = rows();
    if (!box) return;
    this.#density = preferences.value.density;
    const tall = box.querySelector('.rows__one').getBoundingClientRect().height;
    if (this.#height === box.clientHeight && rowHeight === tall) return;
    this.#height = box.clientHeight;
    rowHeight = tall;
    this.requestUpdate();
  }

  #more() {
    const asked = want.value, far = pages.value[asked.key];
    if (!ready.value || busy.value || far?.next === null || far?.failed || (!far && complete(asked))) return;
    const near = (!far && !asked.until) || (this.#top + this.#height) / rowHeight > shown.value.length - AHEAD;
    if (near) page(asked).then(() => this.#append());
  }

  /** What a further page has brought goes behind what stands there. */
  #append() {
    const stands = held.value, now = order.value.numbers;
    if (!stands) return;
    const at = now.lastIndexOf(stands.numbers.findLast((number) => now.includes(number)));
    const there = new Set(stands.numbers);
    held.value = { ...stands, numbers: [...stands.numbers, ...now.slice(at + 1).filter((number) => !there.has(number))] };
  }

  #scrolled = (event) => {
    this.#top = event.target.scrollTop;
    if (!this.#due) this.#due = requestAnimationFrame(() => { this.#due = 0; this.requestUpdate(); });
  };

  #toTop() {
    const box = rows();
    if (box) box.scrollTop = this.#top = 0;
  }

  reveal(number) {
    const box = rows(), place = shown.value.indexOf(number) * rowHeight;
    if (!box || place < 0) return;
    if (place < box.scrollTop) box.scrollTop = place;
    else if (place + rowHeight > box.scrollTop + box.clientHeight) box.scrollTop = place + rowHeight - box.clientHeight;
    this.#top = box.scrollTop;
    this.requestUpdate();
  }

  #stay = () => {
    clearTimeout(this.#leave);
    hold();
  };

  #go = () => {
    clearTimeout(this.#leave);
    this.#leave = setTimeout(() => { if (!rows()?.matches(':hover, :focus-within')) held.value = null; }, 300);
  };
}

export const menus = () => import('./menus.js');

const SEVERAL = new Set(['status', 'priority']); // of which a filter takes more than one value

export function toggle(field, value) {
  const values = want.value.filter[field] ?? [];
  const next = values.includes(value) ? values.filter((one) => one !== value) : SEVERAL.has(field) ? [...values, value] : [value];
  const query = { ...Object.fromEntries(route.value.query), [field]: next.join(',') };
  go(path(route.value.number, query));
}

/** A value of a filter, in words. */
export function named(field, value) {
  return {
    status: () => status(value), priority: () => priority(value), unread: () => _('Unread'), tag: () => value,
    assignee_id: () => agentName('agent', Number(value)), team_id: () => teams.value[value]?.name ?? value, inbox_id: () => inboxes.value[value]?.name ?? value,
  }[field]();
}

function empty(view, narrowed) {
  if (narrowed) return html`<div class="empty">${icon('filter')}<p>${_('Nothing here matches the filters.')}</p><a class="button button--plain" href=${path(null, { view })}>${_('Clear the filters')}</a></div>`;
  const [name, text, link, label] = {
    mine: ['person', _('Nothing is assigned to you.'), '/queue', _('See who waits')],
    unassigned: ['check', _('Everything has somebody who looks after it.'), path(null, {}), _('See what is open')],
    open: ['inbox', _('Nothing is open. What customers write appears here by itself.'), '/settings/inboxes', _('Look at the inboxes')],
    waiting: ['check', _('Nobody waits for an answer.'), path(null, {}), _('See what is open')],
    mentions: ['at', _('Colleagues who write @ and your name in a note appear here.')],
    snoozed: ['snooze', _('Nothing is put off. What you snooze comes back by itself.')],
    resolved: ['resolve', _('Nothing has been resolved yet.')],
    spam: ['spam', _('There is no spam.')],
  }[view] ?? ['inbox', _('There are no tickets yet.'), '/settings/inboxes', _('Look at the inboxes')];
  return html`<div class="empty">${icon(name)}<p>${text}</p>${link ? html`<a class="button button--plain" href=${link}>${label}</a>` : nothing}<p-first-run></p-first-run></div>`;
}

// --- a row ----------------------------------------------------------------------------------------------------------

const CHANNELS = { chat: 'chat', form: 'form' };
export const glyph = (inbox) => icon(CHANNELS[inbox?.kind] ?? 'mail');

/** A row; the list draws it, so that it can move rows without making them anew. */
function row(ticket, { place, active: at, current, gone, chosen }) {
  const fresh = unread(state.value, ticket), name = ticket.contact_name || _('No name');
  const click = (event) => {
    if (event.shiftKey) pickTo(ticket.number);
    else if (picked.value.size && (event.ctrlKey || event.metaKey)) pick(ticket.number);
    else return void (selected.value = ticket.number);
    event.preventDefault();
  };
  return html`<div role="row" id=${`t${ticket.number}`} aria-rowindex=${place + 1} aria-selected=${chosen ? 'true' : 'false'}
    class=${classMap({ row: true, 'row--selected': at, 'row--open': current, 'row--unread': fresh, 'row--gone': gone, 'row--chosen': chosen })}
    .style=${`transform:translateY(${place * rowHeight}px)`}>
    <span role="gridcell" class="row__pick">${avatar(name, ticket.contact_id)}<span class="row__channel">${glyph(inboxes.value[ticket.inbox_id])}</span>
      <label><input type="checkbox" tabindex="-1" .checked=${chosen} aria-label=${_('Select {0}', name)}
        @click=${(event) => (event.shiftKey ? pickTo(ticket.number) : pick(ticket.number))}></label></span>
    <span role="gridcell" class="row__cell"><a class="row__link" href=${path(ticket.number)} tabindex="-1" aria-current=${current ? 'true' : nothing} @click=${click}>
      <span class="row__head"><bdi class="row__name">${name}</bdi>${fresh ? html`<span class="sr">${_('Unread')}</span>` : nothing}
        <time class="row__time" datetime=${new Date(ticket.last_message_at).toISOString()} title=${exact(ticket.last_message_at)}>${short(ticket.last_message_at)}</time></span>
      <span class="row__words">${words(ticket)}</span>
      <span class="row__marks">${marks(ticket)}</span>
    </a></span>
  </div>`;
}

function words(ticket) {
  const subject = ticket.subject && ticket.subject !== ticket.last_text ? ticket.subject : '';
  const us = ticket.last_direction === 'outgoing' ? html`<span class="row__us">${icon('reply')}<span class="sr">${_('Us:')}</span></span>` : nothing;
  return html`${subject ? html`<bdi class="row__subject">${subject}</bdi>` : nothing}<span class="row__last">${us}<bdi>${ticket.last_text === '' ? _('A file') : ticket.last_text ?? ''}</bdi></span>`;
}

function marks(ticket) {
  const who = agents.value[ticket.assignee_id], mine = ticket.assignee_id === me.value?.agent.id;
  const waits = ticket.waiting_since != null && ticket.status === 'open';
  const more = ticket.tags.length - 2;
  return html`${waits || ticket.due_at ? clock(ticket) : nothing}
    ${ticket.priority === 'urgent' || ticket.priority === 'high' ? html`<span class=${`chip chip--${ticket.priority}`}>${icon('flag')}${priority(ticket.priority)}</span>` : nothing}
    ${ticket.status === 'open' ? nothing : html`<span class="chip">${ticket.status === 'snoozed' ? icon('snooze') : nothing}${status(ticket.status)}</span>`}
    ${drafted.value.has(ticket.number) ? html`<span class="chip chip--draft">${icon('pencil')}${_('Draft')}</span>` : nothing}
    ${ticket.tags.slice(0, 2).map((tag) => html`<span class="chip chip--of-tag" data-colour=${colourOf(tag)}><bdi>${tag}</bdi></span>`)}${more > 0 ? html`<span class="chip" dir="ltr">+${more}</span>` : nothing}
    ${Object.keys(inboxes.value).length > 1 ? html`<span class="row__inbox"><bdi>${inboxes.value[ticket.inbox_id]?.name ?? ''}</bdi></span>` : html`<span class="gap"></span>`}${looking(ticket)}
    ${who ? html`<span class="row__owner" title=${mine ? _('Yours') : who.name}>${avatar(who.name, who.id, 'avatar--small')}<span class="sr">${mine ? _('You') : who.name}</span></span>` : nothing}`;
}

/** How long the customer waits, or until when an answer is owed: as a colour and in words. */
export function clock(ticket) {
  const left = ticket.due_at == null ? null : ticket.due_at - soon.value;
  if (left !== null) {
    const state_ = left < 0 ? 'late' : ticket.due_state === 'warned' ? 'warned' : 'due';
    return html`<span class=${`chip chip--${state_}`}>${icon('clock')}${left < 0 ? _('late by {0}', waited(-left)) : _('due in {0}', waited(left))}</span>`;
  }
  return html`<span class="chip chip--waits">${icon('clock')}${_('waits {0}', waited(soon.value - ticket.waiting_since))}</span>`;
}

function looking(ticket) {
  const others = (state.value.viewers[ticket.number] ?? []).filter((id) => id !== me.value?.agent.id);
  return others.length ? html`<span class="row__eye" title=${others.map((id) => agentName('agent', id)).join(', ')}>${icon('eye')}</span>` : nothing;
}

export function status(name) {
  return { open: _('Open'), pending: _('Pending'), snoozed: _('Snoozed'), resolved: _('Resolved') }[name] ?? name;
}

export function priority(name) {
  return { urgent: _('Urgent'), high: _('High'), normal: _('Normal'), low: _('Low') }[name] ?? name;
}

customElements.define('p-views', Views);
customElements.define('p-ticket-list', TicketList);
