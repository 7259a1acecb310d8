// The live board: who waits now and how long, who is there and how full their hands are, how today goes against a week ago.
// Also as a wall (/board?wall): large, without anything around it, awake and renewed by itself.

import { _, date, get, ngettext } from './base.js';
import { meter, pairs } from './charts.js';
import { hear, inboxes, teams } from './desk.js';
import { against, faster, heat, lasting, running } from './measures.js';
import { Part, avatar, go, now, route, skeleton } from './parts.js';
import { glyph } from './pictures.js';
import { html, nothing, repeat } from './vendor/lit.js';
import { effect } from './vendor/signals-core.js';

const EVERY = 15_000, ON_WALL = 5_000; // ms
const ORDER = { online: 0, busy: 1, away: 2, offline: 3 };

export const availabilities = () => ({ online: _('Online'), busy: _('Busy'), away: _('Away'), offline: _('Offline') });

class Board extends Part {
  static properties = { board: { state: true }, wrong: { state: true }, at: { state: true } };

  #timer = 0; #end = null; #of = null; #awake = null; #deaf = null; #version = null;

  get #wall() {
    return route.value.query.has('wall');
  }

  connectedCallback() {
    super.connectedCallback();
    this.#end = effect(() => {
      const team = route.value.query.get('team') ?? '', wall = this.#wall && route.value.screen === 'board';
      document.documentElement.toggleAttribute('data-wall', wall);
      this.#stayAwake(wall);
      if (this.#of !== team) this.board = null;
      this.#of = team;
      this.#load();
    });
    this.#deaf = hear((frame) => {
      if (frame.type !== 'welcome') return;
      if (this.#wall && this.#version && frame.version !== this.#version) location.reload(); // nobody is there to be asked
      this.#version = frame.version;
    });
    document.addEventListener('visibilitychange', this.#seen);
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    this.#end?.();
    this.#deaf?.();
    clearTimeout(this.#timer);
    document.removeEventListener('visibilitychange', this.#seen);
    document.documentElement.removeAttribute('data-wall');
    this.#stayAwake(false);
  }

  #seen = () => {
    if (!document.hidden) this.#load();
  };

  async #stayAwake(on) {
    if (!on) {
      this.#awake?.release();
      this.#awake = null;
    } else if (!this.#awake) {
      this.#awake = await navigator.wakeLock?.request('screen').catch(() => null);
    }
  }

  async #load() {
    clearTimeout(this.#timer);
    const of = this.#of;
    try {
      const board = await get('/api/v1/board', { team_id: of || null });
      if (of !== this.#of) return;
      Object.assign(this, { board, wrong: '', at: Date.now() });
    } catch (problem) {
      if (of !== this.#of) return;
      this.wrong = problem.message;
    }
    if (this.isConnected && !document.hidden) this.#timer = setTimeout(() => this.#load(), this.#wall ? ON_WALL : EVERY);
  }

  render() {
    const { board } = this, wall = this.#wall;
    return html`<section class=${wall ? 'board board--wall' : 'board'} aria-labelledby="board-title">
      <header class="board__head"><h1 id="board-title" tabindex="-1">${wall ? teams.value[this.#of]?.name ?? _('Now') : _('Board')}</h1>
        ${this.wrong && board ? html`<p class="board__stale" role="status">${_('Not renewed since {0}', date(this.at, 'time'))}</p>` : nothing}
        ${wall ? html`<time class="board__clock">${date(now.value, 'time')}</time><button class="button button--plain board__leave" @click=${() => this.#show({ wall: null })}>${_('Leave the wall')}</button>` : this.#choices()}</header>
      ${board ? this.#all(board) : this.wrong ? html`<div class="empty" role="alert"><p dir="auto">${this.wrong}</p><button class="button button--plain" @click=${() => this.#load()}>${_('Try again')}</button></div>` : skeleton()}
    </section>`;
  }

  #choices() {
    const all = Object.values(teams.value);
    return html`<div class="board__do">${all.length ? html`<label><span class="sr">${_('Team')}</span><select @change=${(event) => this.#show({ team: event.target.value })}>
        <option value="">${_('All teams')}</option>${all.map((team) => html`<option value=${team.id} .selected=${String(team.id) === this.#of}>${team.name}</option>`)}</select></label>` : nothing}
      <button class="button button--plain" @click=${() => this.#show({ wall: '' })}>${glyph('screen')}${_('Show on a wall')}</button></div>`;
  }

  #show(some) {
    const params = new URLSearchParams(route.value.query);
    for (const [name, value] of Object.entries(some)) if (value || (name === 'wall' && value === '')) params.set(name, value); else params.delete(name);
    go(params.size ? `/board?${params.toString().replace('wall=', 'wall')}` : '/board');
  }

  /** How long ago by now, of a wait that was so long when the desk was asked. */
  #since(ms) {
    return ms ? ms + Math.max(0, now.value - this.at) : null;
  }

  #all(board) {
    const longest = board.waiting_now ? this.#since(board.longest_wait_ms) : null, first = board.first_reply;
    return html`<div class="tiles">
        ${tile(_('Waiting now'), board.waiting_now, { heat: heat(longest), note: board.unassigned ? ngettext('{0} of them has nobody', '{0} of them have nobody', board.unassigned) : board.waiting_now ? _('All of them have somebody.') : _('Nobody waits.') })}
        ${tile(_('Longest wait'), longest === null ? '–' : running(longest), { heat: heat(longest), note: board.late ? ngettext('{0} answer is late', '{0} answers are late', board.late) : nothing })}
        ${tile(_('Online'), board.online, { note: [board.busy && _('{0} busy', String(board.busy)), board.away && _('{0} away', String(board.away))].filter(Boolean).join(', ') || nothing })}
        ${tile(_('First reply today'), lasting(first.today.median), { change: faster(first), note: first.today.number ? ngettext('median of {0} reply', 'median of {0} replies', first.today.number) : nothing })}
        ${tile(_('New today'), board.opened.today, { change: against(board.opened) })}
        ${tile(_('Answers today'), board.answered.today, { change: against(board.answered) })}
      </div>
      <div class="board__two">${this.#agents(board.load)}
        <div class="board__side">${this.#inboxes(board.per_inbox)}
          <section class="board__part">${pairs({ title: _('Today, up to now'), names: [_('Today'), _('A week ago')], rows: [[_('New tickets'), board.opened], [_('Answers'), board.answered], [_('Resolved'), board.resolved], [_('Late answers'), board.breached]]
            .map(([label, one]) => ({ label, today: one.today, before: one.week_ago })) })}</section></div></div>`;
  }

  #agents(all) {
    const there = all.filter((one) => one.state !== 'offline').sort((a, b) => ORDER[a.state] - ORDER[b.state] || b.load / b.capacity - a.load / a.capacity);
    return html`<section class="board__part" aria-labelledby="board-agents"><h2 id="board-agents">${_('Who is here')}</h2>
      ${there.length ? html`<ul class="crew">${repeat(there, (one) => one.id, (one) => html`<li class="crew__one">${avatar(one.name, one.id, `avatar--${one.state}`)}
        <span class="crew__name"><bdi>${one.name}</bdi> <span class="faint">${[availabilities()[one.state], one.until > now.value && _('until {0}', date(one.until, 'time')), one.waiting && ngettext('{0} waits', '{0} wait', one.waiting)].filter(Boolean).join(', ')}</span></span>
        ${meter(one.load, one.capacity, _('{0} of {1}', String(one.load), String(one.capacity)))}</li>`)}</ul>` : html`<p class="faint">${_('Nobody is here.')}</p>`}</section>`;
  }

  #inboxes(all) {
    return html`<section class="board__part" aria-labelledby="board-inboxes"><h2 id="board-inboxes">${_('Inboxes')}</h2>
      ${all.length ? html`<div class="per__scroll" tabindex="0" role="group" aria-label=${_('Waiting')}><table class="per"><thead><tr><th scope="col">${_('Inbox')}</th><th scope="col">${_('Waiting')}</th><th scope="col">${_('Longest')}</th><th scope="col">${_('Open')}</th><th scope="col">${_('New today')}</th></tr></thead>
        <tbody>${repeat(all, (one) => one.inbox_id, (one) => html`<tr><th scope="row"><bdi>${inboxes.value[one.inbox_id]?.name ?? `#${one.inbox_id}`}</bdi></th>
          <td>${one.waiting}</td><td class=${`heat heat--${heat(this.#since(one.longest_wait_ms))}`}>${one.longest_wait_ms ? running(this.#since(one.longest_wait_ms)) : '–'}</td><td>${one.open}</td><td>${one.opened.today}</td></tr>`)}</tbody></table></div>` : html`<p class="faint">${_('Nothing is open in any inbox.')}</p>`}</section>`;
  }
}

/** One figure. @param {{heat?: string, note?: unknown, change?: object|null}} more */
export const tile = (title, figure, { heat: warm = 'calm', note = nothing, change = null } = {}) => html`<div class=${`tile tile--${warm}`}><p class="tile__title">${title}</p><p class="tile__figure">${figure}</p>
  ${change ? html`<p class=${`tile__change tile__change--${change.way}`}>${change.text}</p>` : nothing}${note === nothing ? nothing : html`<p class="tile__note">${note}</p>`}</div>`;

customElements.define('p-board', Board);
