// Where one writes: a reply to the customer or a note for colleagues. What is begun is kept by ticket and kind.

import { _ } from './base.js';
import { agentName, agents, ask, discard, draft, inboxes, keepDraft, may, prefer, preferences, redrafted, say, send, state, type } from './desk.js';
import { finish, menus } from './list.js';
import { Part, action, avatar, bring, icon, means, now } from './parts.js';
import { typing } from './store.js';
import { html, live, nothing, ref } from './vendor/lit.js';
import { signal } from './vendor/signals-core.js';

const TYPED_EVERY = 3_000, TYPED_FOR = 6_000;
const GAP = /\{\{\s*[\w.]+\s*\}\}/; // a variable of a canned response that had no value
// What opens a list while one writes: at the start of a word, with what has been written of it.
const TRIGGERS = [['canned', /(?:^|\s)\/([^\s/]{0,30})$/], ['people', /(?:^|\s)@([^@\n]{0,30})$/], ['emoji', /(?:^|\s):([a-z0-9_]{2,20})$/i]];

const mode = signal('reply');
const added = signal(null); // words to be put into the field from elsewhere

/** Shows the field for a reply or a note, with the caret in it; `text` is added to what is begun there. */
export function write(kind, text = '') {
  if (kind) mode.value = kind;
  if (text) added.value = text;
  const field = document.querySelector('p-composer textarea');
  if (!field) early = mode.value;
  else queueMicrotask(() => field.focus());
}

let early = null; // asked for before the field was there

for (const given of [
  { name: 'send', key: 'Mod+Enter', text: () => _('Send') },
  { name: 'send.resolve', key: 'Mod+Shift+Enter', text: () => _('Send and resolve') },
  { name: 'send.undo', key: 'Mod+z', text: () => _('Call back what was just sent') },
  { name: 'composer.attach', key: 'Mod+Shift+u', text: () => _('Attach files') },
  { name: 'composer.switch', key: 'Mod+Shift+y', text: () => _('Reply or note') },
]) action({ where: 'composer', group: 'composer', run: () => false, order: 60, ...given });

class Composer extends Part {
  static properties = { number: { type: Number } };

  #text = ''; #of = ''; #told = 0; #silent = 0; #drafts = 0;
  #asked = null; #found = []; #at = 0; // the list that is open: which, what for, from where; what it offers
  #filling = null; #gap = false; #over = false;

  willUpdate() {
    const [number, kind] = this.#of.split(' ');
    if (Number(number) !== this.number) mode.value = early ?? (!draft(this.number, 'reply') && draft(this.number, 'note') ? 'note' : 'reply');
    const of = `${this.number} ${this.#mode}`;
    if (of === this.#of && this.#drafts === redrafted.value && !added.value) return;
    if (of !== this.#of) this.#quiet();
    if (added.value) {
      this.#text = [draft(this.number, this.#mode).trimEnd(), added.peek()].filter(Boolean).join('\n');
      added.value = null;
      keepDraft(this.number, this.#mode, this.#text);
    } else if (of !== this.#of || kind) {
      this.#text = draft(this.number, this.#mode);
    }
    this.#of = of;
    this.#drafts = redrafted.value;
    this.#close();
  }

  get #mode() {
    if (mode.value === 'reply' && !may('tickets.reply')) return 'note';
    return mode.value;
  }

  get #field() {
    return this.querySelector('textarea');
  }

  render() {
    const kind = this.#mode, note = kind === 'note', ticket = state.value.tickets[this.number];
    const stale = Object.values(state.value.outbox).find((entry) => entry.number === this.number && entry.state === 'stale');
    const tool = (name, label, run) => html`<button type="button" class="tool" aria-label=${label} title=${label} @click=${run}>${icon(name)}</button>`;
    const tray = files.value?.trayOf(this.number, kind);
    return html`<form class=${`composer ${note ? 'composer--note' : ''} ${this.#over ? 'composer--over' : ''}`} @submit=${this.#submit}
      @dragover=${this.#drag} @dragleave=${this.#drag} @drop=${this.#drop}>
      <p class="composer__others">${this.#others()}</p>
      <div class="composer__box">
        ${this.#suggestions()}
        <div class="composer__head"><div class="composer__tabs" role="group" aria-label=${_('What to write')}>${['reply', 'note'].map((one) =>
          may(`tickets.${one}`) ? html`<button type="button" aria-pressed=${one === kind ? 'true' : 'false'} @click=${() => write(one)}>
            ${icon(one === 'note' ? 'lock' : 'reply')}${one === 'note' ? _('Note') : _('Reply')}</button>` : nothing)}</div>
          <span class="composer__to">${note ? _('Only colleagues see this.') : html`<bdi>${ticket?.contact_name || _('The customer')}</bdi> · <bdi>${inboxes.value[ticket?.inbox_id]?.name ?? ''}</bdi>`}</span></div>
        ${note || way(this.number) !== 'mail' ? nothing : this.#copies()}
        <textarea rows="2" dir=${this.#text ? 'auto' : nothing} .value=${live(this.#text)} aria-label=${note ? _('Note for colleagues') : _('Reply to the customer')}
          placeholder=${note ? _('Write a note… @ calls a colleague') : _('Write an answer… / for ready texts')} aria-autocomplete="list" aria-controls=${this.#asked ? 'suggestions' : nothing}
          aria-activedescendant=${this.#asked && this.#found.length ? `suggestion${this.#at}` : nothing}
          @input=${this.#typed} @keydown=${this.#key} @blur=${this.#left} @click=${this.#look} @paste=${this.#paste}></textarea>
        ${tray?.render() ?? nothing}
        ${this.#gap ? html`<p class="composer__gap" role="alert">${icon('alert')}${_('A place is still to be filled in. Send once more to send it as it is.')}</p>` : nothing}
        <div class="composer__foot">
          ${may('tickets.reply') ? tool('canned', _('Ready texts'), () => this.#start('/')) : nothing}
          ${note ? tool('at', _('Call a colleague'), () => this.#start('@')) : nothing}
          ${tool('smile', _('Emoji'), this.#emoji)}
          ${tool('clip', _('Attach files'), () => this.querySelector('[type=file]').click())}
          <input type="file" multiple hidden aria-hidden="true" tabindex="-1" @change=${this.#chosen}>
          ${globalThis.MediaRecorder && navigator.mediaDevices ? tool('mic', _('Record a voice note'), () => withFiles(({ trayOf }) => trayOf(this.number, this.#mode).record())) : nothing}
          <span class="gap"></span>
          <span class="split"><button class="button">${note ? _('Add the note') : _('Send')}</button><button type="button" class="button split__more" aria-haspopup="dialog"
            aria-label=${_('Other ways to send')} @click=${this.#ways}>${icon('down')}</button></span>
        </div>
      </div>
    </form>${stale ? staleSheet(stale, {
      anyway: () => send({ ...stale, seen: stale.problem.body.seen }, true),
      edit: () => this.#edit(stale),
      discard: () => discard(stale.id),
    }) : nothing}`;
  }

  firstUpdated() {
    if (Object.keys(localStorage).some((key) => key.startsWith('parley.files.'))) withFiles(() => {}); // attached before a reload
    setTimeout(() => import('./suggest.js'), 1_000); // so that it is there when the first sign is typed
  }

  updated() {
    const field = this.#field;
    if (field && early) field.focus();
    early = null;
    if (!field || CSS.supports('field-sizing', 'content')) return;
    field.style.blockSize = 'auto';
    field.style.blockSize = `${field.scrollHeight + 2}px`;
  }

  /** Letters have copies. */
  #copies() {
    if (copies.value) return copies.value.row(this.number, () => this.requestUpdate());
    bring({ name: 'copies', load: () => import('./copies.js'), css: 'copies.css' }).then(async () => { copies.value = await import('./copies.js'); });
    return nothing;
  }

  #others() {
    return typing(state.value, this.number, now.value).map((who) => {
      const contact = who.kind === 'contact';
      const name = contact ? state.value.tickets[this.number]?.contact_name || _('The customer') : agentName(who.kind, who.id);
      const text = contact ? _('{0} is writing…', name) : who.mode === 'note' ? _('{0} is writing a note…', name) : _('{0} is replying…', name);
      return html`<span class=${contact ? 'types' : 'types types--ours'}>${contact ? html`<i aria-hidden="true"></i>` : avatar(name, who.id, 'avatar--small')}${text}</span>`;
    });
  }

  // --- writing ---

  #typed = (event) => {
    this.#put(event.target.value);
    this.#look();
    if (Date.now() - this.#told > TYPED_EVERY) {
      this.#told = Date.now();
      type(this.number, true, this.#mode);
    }
    clearTimeout(this.#silent);
    this.#silent = setTimeout(this.#quiet, TYPED_FOR);
  };

  #put(text) {
    this.#text = text;
    this.#gap = false;
    keepDraft(this.number, this.#mode, text);
    this.requestUpdate();
  }

  #quiet = () => {
    clearTimeout(this.#silent);
    if (!this.#told) return;
    this.#told = 0;
    const [number, kind] = this.#of.split(' ');
    type(Number(number), false, kind);
  };

  #left = () => {
    this.#quiet();
    this.#close();
  };

  #key = (event) => {
    // 229: some input methods report the Enter that ends a composition so.
    if (event.isComposing || event.keyCode === 229) return;
    if (this.#asked?.coming && event.key === 'Enter' && !event.ctrlKey && !event.metaKey && !event.shiftKey) return this.#later(event);
    if (this.#asked && this.#found.length && this.#choosing(event)) return event.preventDefault();
    if (event.key === 'Escape') return this.#asked ? this.#close(event) : event.target.blur();
    if (means(event, 'composer.switch') && may('tickets.note')) {
      event.preventDefault();
      return write(this.#mode === 'note' ? 'reply' : 'note');
    }
    if (means(event, 'composer.attach')) {
      event.preventDefault();
      return this.querySelector('[type=file]').click();
    }
    if (!this.#text && means(event, 'send.undo')) return this.#callBack(event);
    if (means(event, 'send.resolve')) return this.#submit(event, () => finish(this.number));
    if (means(event, 'send') || (event.key === 'Enter' && !event.shiftKey && !event.altKey && enterSends(this.number))) this.#submit(event);
    return null;
  };

  #callBack(event) {
    event.preventDefault();
    import('./arrival.js').then(({ callBackLast }) => callBackLast(this.number));
  }

  /** @param {() => void} [then] once it is said @param {object} [more] how: at what time */
  #submit = (event, then = null, more = {}) => {
    event?.preventDefault();
    if (this.#filling) { // who presses on means the text that is coming, and not its short name
      this.#filling.then((came) => came && this.#submit(null, then, more));
      return;
    }
    const text = this.#text, kind = this.#mode, field = this.#field, tray = files.peek()?.trayOf(this.number, kind);
    if (!text.trim() && !tray?.items.length) return;
    const gap = kind === 'reply' && !this.#gap && GAP.exec(text);
    if (gap) {
      this.#gap = true;
      this.requestUpdate();
      field.focus();
      field.setSelectionRange(gap.index, gap.index + gap[0].length);
      return;
    }
    const letters = kind === 'reply' && way(this.number) === 'mail' ? copies.peek() : null;
    if (letters?.isWrong(this.number, () => this.requestUpdate())) return;
    const attached = tray?.items.length ? tray.take(() => this.#submit(null, then, more)) : [];
    if (!attached || (!text.trim() && !attached.length)) return;
    const whom = letters ? letters.take(this.number) : {};
    this.#quiet();
    this.#close();
    this.#put('');
    const mentions = kind === 'note' ? Object.values(agents.value).filter(({ name, disabled }) => !disabled && text.includes(`@${name}`)).map(({ id }) => id) : [];
    const said = say(this.number, kind, text, { ...(mentions.length ? { mentions } : more), ...whom, ...(attached.length && { files: attached }) });
    if (then) said.then((done) => done && then());
  };

  #add(blobs) {
    const list = [...blobs], { number } = this, kind = this.#mode;
    withFiles(({ trayOf }) => trayOf(number, kind).add(list));
  }

  #chosen = ({ target }) => {
    this.#add(target.files);
    target.value = '';
    this.#field.focus();
  };

  #paste = (event) => {
    if (!event.clipboardData.files.length) return;
    event.preventDefault();
    this.#add(event.clipboardData.files);
  };

  #drag = (event) => {
    if (![...event.dataTransfer.types].includes('Files')) return;
    event.preventDefault();
    const over = event.type === 'dragover';
    if (over === this.#over) return;
    this.#over = over;
    this.requestUpdate();
  };

  #drop = (event) => {
    if (!event.dataTransfer.files.length) return;
    event.preventDefault();
    this.#over = false;
    this.#add(event.dataTransfer.files);
    this.requestUpdate();
  };

  #edit(entry) {
    discard(entry.id);
    if (entry.files) withFiles(({ trayOf }) => trayOf(entry.number, entry.mode).restore(entry.files));
    write('reply', entry.text);
  }

  #ways = async (event) => {
    const anchor = event.currentTarget, number = this.number;
    const [{ choose }, all] = await Promise.all([import('./choose.js'), menus()]);
    const changes = may('tickets.change'), sends = enterSends(number);
    choose(anchor, {
      title: _('Other ways to send'), search: false, pick: ({ run }) => run(),
      items: [
        ...(changes ? [{ text: _('Send and resolve'), icon: 'resolve', run: () => this.#submit(null, () => finish(number)) },
          { text: _('Send and snooze…'), icon: 'snooze', run: () => all.snooze(anchor, number, (until) => this.#submit(null, () => all.snoozed(number, until))) }] : []),
        ...(this.#mode === 'reply' && !inboxes.value[state.value.tickets[number]?.inbox_id]?.live ? [{ text: _('Send later…'), icon: 'clock', run: () => this.#sendLater(anchor) }] : []),
        { text: _('Enter sends'), hint: sends ? _('Shift and Enter begin a new line.') : _('Enter begins a new line.'), icon: 'keys', on: sends, run: () => setEnter(number, !sends) },
      ],
    });
  };

  #sendLater = (anchor) => {
    if (!this.#text.trim()) return this.#field.focus();
    return import('./sendlater.js').then(({ later }) => later(anchor, this.number, (at) => at && this.#submit(null, null, { send_at: at })));
  };

  // --- lists that open while one writes ---

  /** As if it had been typed. */
  #start(sign) {
    const field = this.#field, before = field.value.slice(0, field.selectionStart);
    field.focus();
    this.#insert(before && !/\s$/.test(before) ? ` ${sign}` : sign, field.selectionStart, field.selectionEnd);
    this.#look();
  }

  #emoji = async (event) => {
    const anchor = event.currentTarget, { pickEmoji } = await import('./emoji.js');
    pickEmoji(anchor, (sign) => this.#insert(sign, this.#field.selectionStart, this.#field.selectionEnd));
  };

  #insert(text, from, to) {
    const field = this.#field;
    field.setRangeText(text, from, to, field.selectionEnd > to ? 'preserve' : 'end'); // somebody may have written on
    this.#put(field.value);
  }

  /** Looks at what stands before the caret. */
  #look = async () => {
    const field = this.#field, before = field.value.slice(0, field.selectionEnd);
    const hit = field.selectionStart === field.selectionEnd && TRIGGERS.filter(([what]) => what !== 'people' || this.#mode === 'note')
      .map(([what, pattern]) => [what, pattern.exec(before)]).find(([, found]) => found);
    if (!hit) return this.#asked && this.#close();
    const [what, [, query]] = hit, asked = { what, query, from: before.length - query.length - 1, to: before.length };
    this.#asked = asked;
    asked.coming = import('./suggest.js').then(({ offers }) => offers(what, query, this.number));
    const found = await asked.coming;
    asked.coming = null;
    if (this.#asked !== asked) return null;
    this.#found = found;
    this.#at = 0;
    return this.requestUpdate();
  };

  /** Who types faster than a list can come means what will stand in it. */
  #later(event) {
    const asked = this.#asked;
    event.preventDefault();
    const sends = enterSends(this.number);
    let found = true;
    this.#soon(asked.coming.then(([first]) => ((found = Boolean(first)) ? this.#choose(first, asked) : true))).then(() => !found && sends && this.#submit(null));
  }

  /** What is on its way into the field: who sends meanwhile means it too. → whether it came */
  #soon(coming) {
    const mine = (this.#filling = coming.then((came) => {
      if (this.#filling === mine) this.#filling = null;
      return came;
    }));
    return mine;
  }

  #choosing(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) this.#at = (this.#at + step + this.#found.length) % this.#found.length;
    else if ((event.key === 'Enter' || event.key === 'Tab') && !event.shiftKey && !event.ctrlKey && !event.metaKey) this.#choose(this.#found[this.#at]);
    else return false;
    this.requestUpdate();
    this.updateComplete.then(() => this.querySelector('.suggestion--at')?.scrollIntoView({ block: 'nearest' }));
    return true;
  }

  async #choose({ text, canned }, { from, to } = this.#asked) {
    this.#close();
    if (canned) return this.#soon(this.#fill(canned, from, to));
    this.#insert(`${text} `, from, to);
    return true;
  }

  async #fill(canned, from, to) {
    const field = this.#field, { number } = this;
    const filled = await ask('get', `/canned/${canned}/fill`, { number });
    if (!filled || this.number !== number) return false;
    this.#insert(filled.text, from, to);
    field.focus();
    const gap = GAP.exec(filled.text);
    if (gap) field.setSelectionRange(from + gap.index, from + gap.index + gap[0].length);
    return true;
  }

  #close(event) {
    event?.stopPropagation();
    this.#asked = null;
    this.#found = [];
    this.requestUpdate();
  }

  #suggestions() {
    if (!this.#asked || !this.#found.length) return nothing;
    const stay = (event) => event.preventDefault(); // the field keeps the focus
    return html`<ul class="suggest" id="suggestions" role="listbox" aria-label=${_('Suggestions')} @pointerdown=${stay}>${this.#found.map((one, at) => html`
      <li role="option" id=${`suggestion${at}`} aria-selected=${at === this.#at ? 'true' : 'false'} class=${at === this.#at ? 'suggestion suggestion--at' : 'suggestion'}
        @click=${() => this.#choose(one)}>${one.face ?? nothing}<b><bdi>${one.title}</bdi></b><span><bdi>${one.hint ?? ''}</bdi></span></li>`)}</ul>`;
  }
}

/** Attaching, recording, showing: a module of its own, which comes with the first file. */
export const files = signal(null);
let bringing = null;

export function withFiles(use) {
  bringing ??= import('./files.js').then((module) => { files.value = module; });
  bringing.then(() => use(files.peek()));
}

// Letters are longer than a line: there Enter begins the next one unless somebody wants it otherwise.
const copies = signal(null); // copies.js, once it is needed
const way = (number) => (/mail/.test(inboxes.value[state.value.tickets[number]?.inbox_id]?.kind ?? '') ? 'mail' : 'chat');

function enterSends(number) {
  const wish = preferences.value.enter_sends ?? { chat: true, mail: false };
  return typeof wish === 'boolean' ? wish : wish[way(number)];
}

function setEnter(number, sends) {
  const wish = preferences.value.enter_sends ?? { chat: true, mail: false };
  prefer({ enter_sends: { ...(typeof wish === 'boolean' ? { chat: wish, mail: wish } : wish), [way(number)]: sends } });
}

// --- more was said meanwhile ----------------------------------------------------------------------------------------

const shown = ref((dialog) => {
  if (dialog && !dialog.open) queueMicrotask(() => dialog.isConnected && !dialog.open && dialog.showModal());
});

function staleSheet(entry, { anyway, edit, discard: drop }) {
  const contact = state.value.tickets[entry.number]?.contact_name || _('No name');
  const name = (one) => (one.direction === 'outgoing' ? agentName(one.author_kind, one.author_id) : contact);
  const stay = (event) => {
    event.preventDefault();
    edit();
  };
  return html`<dialog class="sheet" aria-labelledby="stale-title" ${shown} @cancel=${stay}>
    <h2 id="stale-title">${_('More was said meanwhile')}</h2>
    <ul class="sheet__new">${(entry.problem.body.new ?? []).map((one) => html`<li>${avatar(name(one), one.author_id)}<div><bdi class="bubble__author">${name(one)}</bdi>
      <div class="bubble__text" dir="auto">${one.text}</div></div></li>`)}</ul>
    <p class="faint">${_('Your reply, not sent yet:')}</p>
    <blockquote dir="auto">${entry.text}</blockquote>
    <div class="sheet__do">
      <button class="button" @click=${edit}>${_('Edit')}</button>
      <button class="button button--plain" @click=${anyway}>${_('Send anyway')}</button>
      <span class="gap"></span><button class="button button--plain" @click=${drop}>${_('Discard')}</button>
    </div>
  </dialog>`;
}

customElements.define('p-composer', Composer);
