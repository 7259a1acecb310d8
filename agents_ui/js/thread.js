// One ticket: who it is with and how it stands, what was said and what happened, who else is looking, and the composer below.

import { _, date, day, exact, ngettext } from './base.js';
import { files, withFiles, write } from './composer.js';
import { agentName, agents, ask, claim, colourOf, discard, inboxes, markRead, may, me, reopen, send, state, teams, thread as load, view } from './desk.js';
import { clock, finish, menus, priority, status } from './list.js';
import { Part, aside, avatar, bring, icon, panels, path, route, skeleton } from './parts.js';
import { delivered, laid, timeline, unread } from './store.js';
import { html, nothing, repeat } from './vendor/lit.js';
import { computed, signal } from './vendor/signals-core.js';

const NEAR = 120; // pixels from the foot within which one stays there
const TOP = 400; // from the head within which older words are fetched
const READ_AFTER = 800; // ms that the newest words have to be in sight

const number = computed(() => route.value.number);
const ticket = computed(() => state.value.tickets[number.value]);
const thread = computed(() => state.value.threads[number.value]);
const line = computed(() => timeline(state.value, number.value));
const viewers = computed(() => (state.value.viewers[number.value] ?? []).filter((id) => id !== me.value?.agent.id));

const words = signal(null); // of what happened: comes when something has
const letters = signal(null); // how a mail is shown: comes with the first one
const arrivals = signal(null); // what became of answers: comes with the first that is shown

class Thread extends Part {
  #shown = null; #atFoot = true; #told = null; #said = ''; #new = 0; #reading = 0; #fetching = null; #top = 0; #sizes = null;
  #opened = new Set(); // what happened in a row, and is shown line by line
  #readTo = null; #looked = false; // up to where it was read when it was opened, and whether that is known

  render() {
    return html`${head()}${this.#below(thread.value)}`;
  }

  #below(read) {
    if (read?.failed) return failed(read.failed);
    if (ticket.value?.merged_into) return merged(ticket.value);
    if (!read?.loaded || !ticket.value) return skeleton();
    const items = laid(line.value, me.value.agent.id, this.#readTo);
    const news = this.#news(items);
    const last = items.findLast((item) => item.message?.direction === 'outgoing')?.key;
    return html`
      <div class="log" role="log" aria-live="off" tabindex="0" aria-label=${_('What was said')} @scroll=${this.#scrolled}>
        ${read.moving ? html`<p class="faint" role="status">${ngettext('{0} more message is still being moved.', '{0} more messages are still being moved.', read.moving)}</p>` : nothing}
        ${read.older ? html`<button class="button button--plain" @click=${this.#older}>${_('Show older messages')}</button>` : nothing}
        <ol class="log__list">${repeat(items, (item) => item.key, (item) => this.#item(item, read, last))}</ol>
        <p class="sr" aria-live="polite">${news}</p>
      </div>
      ${this.#atFoot ? nothing : html`<button class="pill pill--newest" @click=${this.#toFoot}>${icon('end')}${this.#new
        ? ngettext('{0} new message', '{0} new messages', this.#new) : _('Newest')}</button>`}
      <p-composer .number=${number.value}></p-composer>`;
  }

  #item(item, read, last) {
    if (item.kind === 'day') return html`<li class="log__day"><span>${day(item.at)}</span></li>`;
    if (item.kind === 'unread') return html`<li class="log__unread"><span>${_('New')}</span></li>`;
    if (item.kind === 'events') return this.#events(item);
    return bubble(item, ticket.value, read, item.key === last);
  }

  /** What happened in a row: one line each, or a line that opens when there are many. */
  #events({ key, items: all }) {
    if (!words.value) {
      import('./happenings.js').then((module) => { words.value = module.words; });
      return nothing;
    }
    const folded = all.length > 2 && !this.#opened.has(key);
    const open = () => {
      this.#opened.add(key);
      this.requestUpdate();
    };
    const lines = folded ? [all.at(-1)] : all;
    return html`<li class="log__events">${folded ? html`<button class="log__more" @click=${open}>${ngettext('{0} more change', '{0} more changes', all.length - 1)}</button>` : nothing}
      ${lines.map(({ event }) => html`<p><span>${words.value(event)}</span> <time datetime=${new Date(event.at).toISOString()} title=${exact(event.at)}>${date(event.at, 'time')}</time></p>`)}</li>`;
  }

  willUpdate() {
    if (this.#shown !== number.value) {
      this.#shown = number.value;
      this.#atFoot = true;
      this.#told = null;
      this.#said = '';
      this.#new = 0;
      this.#readTo = null;
      this.#looked = false;
      this.#opened.clear();
      view(number.value);
    }
    // Words that come while one looks are not marked; those that came before, or to a window out of sight, are.
    if (ticket.value && this.#readTo === null && (!this.#looked || document.hidden || !this.#atFoot)) {
      if (unread(state.value, ticket.value)) this.#readTo = state.value.reads[number.value] ?? null;
      this.#looked = Boolean(thread.value?.loaded);
    }
  }

  updated() {
    const log = this.querySelector('.log');
    if (!log) return;
    if (this.#sizes?.log !== log) this.#watch(log);
    if (!this.#atFoot) return;
    this.#toEnd(log);
    this.#seen();
  }

  #toEnd(log) {
    log.scrollTop = log.scrollHeight;
    this.#top = log.scrollTop;
  }

  /** Who is at the foot stays there when the field below grows. */
  #watch(log) {
    this.#sizes?.observer.disconnect();
    const observer = new ResizeObserver(() => this.#atFoot && this.#toEnd(log));
    observer.observe(log);
    observer.observe(log.querySelector('.log__list'));
    this.#sizes = { log, observer };
  }

  connectedCallback() {
    super.connectedCallback();
    document.addEventListener('visibilitychange', this.#seen);
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    document.removeEventListener('visibilitychange', this.#seen);
    clearTimeout(this.#reading);
    view(null);
  }

  /** What stands at the foot, in a window that is looked at, has been read. */
  #seen = () => {
    clearTimeout(this.#reading);
    const open = this.#shown;
    if (!document.hidden && ticket.value && unread(state.value, ticket.value)) {
      this.#reading = setTimeout(() => { if (this.#atFoot && !document.hidden && number.value === open) markRead(open); }, READ_AFTER);
    }
  };

  #scrolled = (event) => {
    const { scrollTop, scrollHeight, clientHeight } = event.target;
    const foot = scrollHeight - scrollTop - clientHeight < NEAR, up = scrollTop < this.#top;
    this.#top = scrollTop;
    if (foot !== this.#atFoot && (foot || up)) {
      this.#atFoot = foot;
      if (foot) this.#new = 0;
      this.requestUpdate();
    }
    if (scrollTop < TOP && thread.value?.older && scrollHeight > clientHeight) this.#older();
  };

  #toFoot = () => {
    const log = this.querySelector('.log');
    log.scrollTo({ top: log.scrollHeight, behavior: matchMedia('(prefers-reduced-motion: reduce)').matches ? 'auto' : 'smooth' });
    log.focus({ preventScroll: true });
  };

  #older = async () => {
    const { older } = thread.value;
    if (!older || this.#fetching === older) return;
    this.#fetching = older;
    this.#atFoot = false;
    const log = this.querySelector('.log'), height = log.scrollHeight;
    await load(number.value, older);
    await this.updateComplete;
    log.scrollTop += log.scrollHeight - height; // what one looks at stays where it is
    this.#fetching = null;
  };

  /** What others have said since the last look, for screen readers: a history that was there before is not news. */
  #news(items) {
    const others = items.filter(({ message }) => message && !(message.author_kind === 'agent' && message.author_id === me.value.agent.id));
    const newest = this.#told ? Math.max(0, ...this.#told) : Infinity;
    const fresh = others.filter(({ message }) => message.id > newest);
    this.#told = new Set(others.map(({ message }) => message.id));
    if (!fresh.length) return this.#said;
    if (!this.#atFoot) this.#new += fresh.length;
    if (fresh.length > 3) return (this.#said = ngettext('{0} new message', '{0} new messages', fresh.length));
    return (this.#said = fresh.map(({ message }) => _('{0} says: {1}', message.direction === 'outgoing'
      ? agentName(message.author_kind, message.author_id) : ticket.value.contact_name || _('No name'), message.text || _('A file'))).join(' '));
  }
}

// --- how it stands --------------------------------------------------------------------------------------------------

function head() {
  const it = ticket.value;
  return html`<header class="thread__head">
    <a class="thread__back" href=${path(null)} aria-label=${_('Back to the list')}>${icon('back')}</a>
    ${it ? avatar(it.contact_name, it.contact_id) : nothing}
    <div class="thread__who">
      <h1 tabindex="-1" dir="auto">${it ? it.contact_name || _('No name') : `#${number.value}`}</h1>
      ${it ? html`<p class="thread__subject"><bdi>${it.subject || nothing}</bdi> <span class="thread__number">#${it.number}</span></p>` : nothing}
    </div>
    <div class="thread__do">${it && !it.merged_into ? actions(it) : nothing}</div>
    ${it && !it.merged_into ? about(it) : nothing}
  </header>`;
}

/** A property of the ticket and the menu that changes it. */
function property(name, label, body, able = true) {
  if (!able) return html`<span class="property"><span class="sr">${label}: </span>${body}</span>`;
  return html`<button class="property" data-menu=${name} aria-haspopup="dialog" title=${label} @click=${(event) => menu(name, event)}><span class="sr">${label}: </span>${body}</button>`;
}

function menu(name, event) {
  const anchor = event.currentTarget;
  menus().then((all) => all[name](anchor, number.value));
}

function about(it) {
  const changes = may('tickets.change'), assigns = may('tickets.assign');
  const owner = agents.value[it.assignee_id], team = teams.value[it.team_id];
  const looking = viewers.value.map((id) => agentName('agent', id)).join(', ');
  const until = it.status === 'snoozed' && it.snoozed_until ? html` <span class="faint">${day(it.snoozed_until)}, ${date(it.snoozed_until, 'time')}</span>` : nothing;
  return html`<div class="thread__about">
    ${property('standing', _('Status'), html`<span class=${`dot dot--${it.status}`}></span>${it.spam ? _('Spam') : status(it.status)}${until}`, changes)}
    ${property('assignee', _('Assigned to'), html`${owner ? avatar(owner.name, owner.id, 'avatar--small') : icon('person')}<bdi>${whose(it)}</bdi>`, assigns)}
    ${team || (assigns && Object.keys(teams.value).length) ? property('team', _('Team'), html`${icon('team')}<bdi>${team?.name ?? _('No team')}</bdi>`, assigns) : nothing}
    ${property('urgency', _('Priority'), html`<span class=${`flag flag--${it.priority}`}>${icon('flag')}</span>${priority(it.priority)}`, changes)}
    ${it.tags.length || changes ? property('tags', _('Tags'), html`${icon('tag')}${it.tags.length ? it.tags.map((tag) => html`<span class="chip chip--of-tag" data-colour=${colourOf(tag)}><bdi>${tag}</bdi></span>`) : _('Add a tag')}`, changes) : nothing}
    ${it.due_at || (it.waiting_since != null && it.status === 'open') ? clock(it) : nothing}
    ${looking ? html`<span class="chip chip--seen">${icon('eye')}${_('{0} is looking', looking)}</span>` : nothing}
  </div>`;
}

function actions(it) {
  const claims = it.assignee_id == null && may('tickets.reply');
  const tool = (name, picture, label) => html`<button class="tool" data-menu=${name} aria-label=${label} title=${label} aria-haspopup="dialog" @click=${(event) => menu(name, event)}>${icon(picture)}</button>`;
  return html`${claims ? html`<button class="button" aria-keyshortcuts="c" @click=${() => claim(it.number)}>${_('Claim')}</button>` : nothing}
    ${!may('tickets.change') ? nothing : it.status === 'resolved'
      ? html`<button class="button button--plain" aria-keyshortcuts="Shift+E" @click=${() => reopen(it.number)}>${_('Reopen')}</button>`
      : html`<button class="button button--plain button--short" aria-keyshortcuts="e" @click=${() => finish(it.number)}>${icon('check')}<span>${_('Resolve')}</span></button>`}
    ${may('tickets.change') ? tool('snooze', 'snooze', _('Snooze')) : nothing}
    ${tool('more', 'more', _('More'))}
    ${panels.value.map((one) => html`<button class="tool" aria-label=${one.title()} title=${one.title()} aria-pressed=${aside.value === one.name ? 'true' : 'false'}
      @click=${() => { aside.value = aside.value === one.name ? '' : one.name; }}>${icon(one.icon)}</button>`)}`;
}

function whose(it) {
  if (it.assignee_id == null) return _('Nobody’s');
  return it.assignee_id === me.value?.agent.id ? _('Yours') : agentName('agent', it.assignee_id);
}

function merged(it) {
  const back = () => ask('post', `/tickets/${it.number}/unmerge`).then((done) => done && load(it.number));
  return html`<div class="empty">${icon('merge')}<p>${_('This ticket is part of another one now.')}</p>
    <a class="button" href=${path(it.merged_into)}>${_('To #{0}', String(it.merged_into))}</a>
    ${may('tickets.change') ? html`<button class="button button--plain" @click=${back}>${_('Take it out again')}</button>` : nothing}</div>`;
}

function failed(text) {
  return html`<div class="empty" role="alert">${icon('alert')}<p dir="auto">${text}</p>
    <button class="button button--plain" @click=${() => load(number.value)}>${_('Try again')}</button></div>`;
}

// --- what was said --------------------------------------------------------------------------------------------------

/** @param {{kind: string, joins: boolean, message?: object, note?: object, entry?: object}} item of the store's `laid` */
function bubble(item, it, read, last) {
  if (item.message?.details?.copy) return copied(item, read);
  if (item.kind === 'note') return note(item);
  if (item.kind === 'going') return going(item);
  return message(item, it, read, last);
}

const shape = (kind, { joins }, more = '') => `bubble bubble--${kind} ${joins ? 'bubble--joins' : ''} ${more}`;

function message(item, it, read, last) {
  const said = item.message, ours = said.direction === 'outgoing', gone = said.deleted_at != null;
  const author = ours ? agentName(said.author_kind, said.author_id) : it?.contact_name || _('No name');
  const way = ours && !gone ? delivered(read, said.id) : null;
  return html`<li class=${shape(ours ? 'ours' : 'theirs', item, way && UNSAID.has(way.state) ? 'bubble--unsaid' : '')} id=${`m${said.id}`}>
    ${item.joins ? nothing : avatar(author, ours ? said.author_id : it?.contact_id)}
    <div class="bubble__body">
      ${byline(author, item)}
      ${!gone && !ours && (said.page || Array.isArray(said.details?.from)) ? letter(said) : gone || said.text
        ? html`<div class=${gone ? 'bubble__text bubble__text--gone' : 'bubble__text'} dir="auto">${gone ? _('This message was deleted.') : said.text}</div>` : nothing}
      ${gone ? nothing : attached(said.page ? said.files?.filter((file) => !file.cid) : said.files)}
      ${said.edited_at && !gone ? html`<span class="bubble__state">${_('edited')}</span>` : nothing}
      ${way && (last || TELLS.has(way.state) || way.reason) ? arrival(way, said) : nothing}
      ${gone ? nothing : more(author, said.text, said.id, item)}
    </div>
  </li>`;
}

function note(item) {
  const { agent_id: id, text } = item.note, author = agentName('agent', id);
  return html`<li class=${shape('note', item)} id=${`n${item.note.id}`}>
    ${item.joins ? nothing : avatar(author, id)}
    <div class="bubble__body">${byline(author, item, html`<span class="bubble__mark">${icon('lock')}${_('Note')}</span>`)}
      ${text ? html`<div class="bubble__text" dir="auto">${called(text)}</div>` : nothing}${attached(item.note.files)}${more(author, text)}</div>
  </li>`;
}

function attached(some) {
  if (!some?.length) return nothing;
  if (files.value) return files.value.shown(some);
  withFiles(() => {});
  return nothing;
}

/** A note with the names of those it calls standing out. */
function called(text) {
  const names = Object.values(agents.value).map(({ name }) => name).filter((name) => text.includes(`@${name}`)).sort((a, b) => b.length - a.length);
  if (!names.length) return text;
  const parts = [];
  for (let rest = text; rest;) {
    const [at, name] = names.map((one) => [rest.indexOf(`@${one}`), one]).filter(([place]) => place >= 0).sort((a, b) => a[0] - b[0])[0] ?? [rest.length, ''];
    parts.push(rest.slice(0, at));
    if (name) parts.push(html`<b class="called"><bdi>@${name}</bdi></b>`);
    rest = rest.slice(at + (name ? name.length + 1 : 0));
  }
  return parts;
}

function going(item) {
  const { entry } = item, wrong = entry.state === 'failed' || entry.state === 'stale', isNote = entry.mode === 'note';
  return html`<li class=${shape(isNote ? 'note' : 'ours', item, `bubble--going ${wrong ? 'bubble--failed' : ''}`)}>
    ${item.joins ? nothing : avatar(me.value.agent.name, me.value.agent.id)}
    <div class="bubble__body">
      ${byline(me.value.agent.name, item, isNote ? html`<span class="bubble__mark">${icon('lock')}${_('Note')}</span>` : nothing)}
      ${entry.text ? html`<div class="bubble__text" dir="auto">${entry.text}</div>` : nothing}${attached(entry.files)}
      ${wrong
        ? html`<span class="bubble__state bubble__state--failed" role="alert">${icon('alert')}${_('Not sent.')} <span dir="auto">${entry.problem?.message}</span></span>
          <span class="bubble__do"><button class="quiet" @click=${() => send(entry)}>${_('Try again')}</button>
          <button class="quiet" @click=${() => edit(entry)}>${_('Edit')}</button>
          <button class="quiet" @click=${() => discard(entry.id)}>${_('Discard')}</button></span>`
        : html`<span class="bubble__state">${icon('clock')}${_('Sending…')}</span>`}
    </div>
  </li>`;
}

function edit(entry) {
  discard(entry.id);
  if (entry.files) withFiles(({ trayOf }) => trayOf(entry.number, entry.mode).restore(entry.files));
  write(entry.mode, entry.text);
}

function byline(author, { at, joins }, mark = nothing) {
  const time = html`<time datetime=${new Date(at).toISOString()} title=${exact(at)}>${date(at, 'time')}</time>`;
  if (joins) return html`<span class="sr"><bdi>${author}</bdi> ${time}</span>`;
  return html`<div class="bubble__head"><bdi class="bubble__author">${author}</bdi> ${mark} ${time}</div>`;
}

/** What can be done with these words. */
function more(author, text, id = null) {
  const open = async (event) => {
    const anchor = event.currentTarget;
    const [{ choose }, { copy }] = await Promise.all([import('./choose.js'), menus()]);
    choose(anchor, {
      title: _('This message'), search: false, pick: ({ run }) => run(),
      items: [
        { text: _('Copy'), icon: 'copy', run: () => copy(text) },
        { text: _('Quote in the answer'), icon: 'quote', run: () => write(null, `${text.split('\n').map((line) => `> ${line}`).join('\n')}\n\n`) },
        ...(id && may('tickets.reply') && hasMail() ? [{ text: _('Forward…'), icon: 'forward', run: () => import('./copies.js').then((c) => c.forward(number.value, id)) }] : []),
        ...(id && may('tickets.change') ? [{ text: _('Split the ticket from here…'), icon: 'split', run: () => import('./dialogs.js').then((d) => d.split(number.value, id)) }] : []),
      ],
    });
  };
  return html`<button class="tool bubble__more" aria-label=${_('What to do with the message of {0}', author)} aria-haspopup="dialog" @click=${open}>${icon('more')}</button>`;
}

const hasMail = () => Object.values(inboxes.value).some(({ kind }) => /mail/.test(kind));

/** A mail: who wrote it, whether that is certain, its page or its words, and what it quotes. */
function letter(said) {
  if (letters.value) return html`<p-letter class="letter" .message=${said}></p-letter>`;
  bring({ name: 'letter', load: () => import('./letter.js'), css: 'letter.css' }).then(() => { letters.value = true; });
  return html`<div class="bubble__text" dir="auto">${said.details?.new_text || said.text}</div>`;
}

/** What was said went out once more by mail: a line with how that fared. */
function copied({ message: said }, read) {
  const way = delivered(read, said.id), { copy, of = [] } = said.details;
  const what = copy === 'unread' ? ngettext('{0} message that was not read in the chat went out by e-mail', '{0} messages that were not read in the chat went out by e-mail', of.length)
    : _('The conversation was sent to the customer by e-mail');
  return html`<li class="log__events log__events--copy" id=${`m${said.id}`}><p>${icon('mail')}<span>${what}</span> <time datetime=${new Date(said.created_at).toISOString()} title=${exact(said.created_at)}>${date(said.created_at, 'time')}</time></p>
    ${way ? arrival(way, said) : nothing}</li>`;
}

const TELLS = new Set(['failed', 'unknown', 'held', 'cancelled']); // of these it is told wherever they stand
const UNSAID = new Set(['held', 'cancelled']);

function arrival(way, said) {
  if (arrivals.value) return arrivals.value(way, said);
  import('./arrival.js').then((module) => { arrivals.value = module.arrival; });
  return nothing;
}

customElements.define('p-thread', Thread);
