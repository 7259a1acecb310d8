// A mail in the thread: who it says it is from and whether that is certain, its HTML in a frame of its own (hub/web/message_page.py) or its
// words, what it quotes folded. Loaded by thread.js with the first that is shown.

import { _, exact, ngettext } from './base.js';
import { may } from './desk.js';
import { Part, icon, route } from './parts.js';
import { glyph } from './pictures.js';
import { html, nothing } from './vendor/lit.js';

const LEAST = 40, MOST = 60_000; // pixels that a frame is high
const SANDBOX = 'allow-same-origin allow-popups allow-popups-to-escape-sandbox';

/** What there is to know of a mail, each in a sentence. */
const FLAGS = {
  cut: () => _('Only its beginning is shown. All of it is in the original.'),
  'too large': () => _('It was too large to be fetched whole.'),
  headers: () => _('Some of its header was too long to be read.'),
  parts: () => _('It has more parts than are shown.'),
  nested: () => _('Its parts lie too deep within one another to be shown.'),
  broken: () => _('Its parts could not be told apart.'),
  charset: () => _('Some letters may be wrong: it does not say rightly in which alphabet it is written.'),
  encrypted: () => _('It is encrypted. Open the attachment with a program that has the key.'),
  signed: () => _('It carries a digital signature, which was not checked here.'),
  external: () => _('Part of it lies elsewhere and was not fetched.'),
  tnef: () => _('Its attachments are packed in a winmail.dat.'),
  hidden: () => _('Something in it was meant not to be seen.'),
  links: () => _('A link in it leads somewhere else than it says.'),
  senders: () => _('It names several senders.'),
  'several senders': () => _('It names several senders.'),
  'own address': () => _('It says that it comes from an address of yours.'),
  stranger: () => _('Somebody new writes here. They had the reply address, and nothing else is known of them.'),
};
const WARNS = new Set(['stranger', 'links', 'hidden', 'senders', 'several senders', 'own address']);

class Letter extends Part {
  static properties = { message: { attribute: false } };

  #unfolded = false; #plain = false; #pictures = false; #elsewhere = 0; #watching = null;

  render() {
    const { message } = this, { details = {} } = message;
    return html`${this.#head(details)}${warnings(details)}
      <div class="letter__body">${message.page && !this.#plain ? this.#page(message) : this.#words(message, details)}</div>
      ${details.subject_changed ? this.#subject(message) : nothing}
      ${details.invitation ? invitation(details.invitation) : nothing}
      ${this.#foot(message, details)}`;
  }

  #head({ from = [], to = [], cc = [], reply_to: answers = [], verdict }) {
    if (!from.length) return nothing;
    const others = [...to, ...cc];
    return html`<div class="letter__head">
      <p class="letter__from">${from.map((one) => html`<bdi class="letter__address">${one.address || one.name}</bdi> `)}
        ${verdict?.aligned ? html`<span class="letter__sure" title=${_('The sender’s mail server vouches for this address.')}>${icon('check')}${_('verified')}</span>` : nothing}</p>
      ${others.length || answers.length ? html`<details class="letter__to"><summary>${whom(others)}</summary>
        <dl>${row(_('Recipients'), to)}${row(_('Copies'), cc)}${row(_('Answers go to'), answers)}</dl></details>` : nothing}
    </div>`;
  }

  /** Another subject in an answer is often another matter. */
  #subject(message) {
    return html`<p class="letter__note">${icon('split')}${_('The subject is another one: {0}', message.subject ?? '')}
      ${may('tickets.change') ? html`<button class="quiet" @click=${() => import('./dialogs.js').then((d) => d.split(route.peek().number, message.id))}>${_('Split the ticket from here…')}</button>` : nothing}</p>`;
  }

  #page(message) {
    return html`<iframe class="letter__page" sandbox=${SANDBOX} referrerpolicy="no-referrer" loading="lazy" title=${_('The message as it was sent')}
      src=${`/m/${message.id}/body${this.#pictures ? '?pictures=1' : ''}`} @load=${this.#loaded}></iframe>`;
  }

  #words({ text }, { new_text: fresh, signature, quoted }) {
    const words = fresh || (quoted ? '' : text);
    return html`${words ? html`<div class="letter__text" dir="auto">${words}</div>` : nothing}
      ${signature ? html`<div class="letter__text letter__text--faint" dir="auto">${signature}</div>` : nothing}
      ${quoted ? html`<button class="quiet letter__fold" aria-expanded=${this.#unfolded ? 'true' : 'false'} @click=${this.#fold}>${icon('quote')}${_('What it quotes')}</button>
        ${this.#unfolded ? html`<blockquote class="letter__text letter__text--faint" dir="auto">${quoted}</blockquote>` : nothing}` : nothing}`;
  }

  #foot(message, { flags = [] }) {
    const notes = flags.filter((flag) => FLAGS[flag] && !WARNS.has(flag));
    return html`${notes.map((flag) => html`<p class="letter__note">${FLAGS[flag]()}</p>`)}
      <div class="letter__do">
        ${this.#elsewhere && !this.#pictures && !this.#plain ? html`<button class="quiet" @click=${this.#show}>${glyph('picture')}${ngettext('Show {0} picture', 'Show {0} pictures', this.#elsewhere)}</button>` : nothing}
        ${message.page ? html`<button class="quiet" @click=${this.#turn}>${this.#plain ? _('As it was sent') : _('Text only')}</button>` : nothing}
        ${message.original ? html`<a class="quiet" href=${`/m/${message.id}/original`} download>${_('Original')}</a>` : nothing}
      </div>`;
  }

  #fold = () => this.#change(() => { this.#unfolded = !this.#unfolded; });
  #turn = () => this.#change(() => { this.#plain = !this.#plain; });
  #show = () => this.#change(() => { this.#pictures = true; });

  #change(how) {
    how();
    this.requestUpdate();
  }

  /** No script runs in there; this page measures it, and gives it the colours that were chosen here. */
  #loaded = (event) => {
    const frame = event.target, inner = frame.contentDocument;
    if (!inner?.body) return;
    const { theme } = document.documentElement.dataset;
    if (theme) inner.documentElement.dataset.theme = theme;
    const { documentElement: root, body } = inner;
    const fit = () => {
      const bar = root.scrollWidth > root.clientWidth ? 16 : 0; // of something too wide
      frame.style.blockSize = `${Math.min(MOST, Math.max(LEAST, Math.ceil(body.getBoundingClientRect().height) + bar))}px`;
    };
    this.#watching?.disconnect();
    this.#watching = new ResizeObserver(fit);
    this.#watching.observe(body);
    const { length } = inner.querySelectorAll('img.elsewhere');
    if (length !== this.#elsewhere) this.#change(() => { this.#elsewhere = length; });
  };

  disconnectedCallback() {
    super.disconnectedCallback();
    this.#watching?.disconnect();
  }
}

function warnings({ from = [], verdict, flags = [], participant }) {
  const told = [...(participant === 'new' ? ['stranger'] : []), ...flags].filter((flag) => WARNS.has(flag)).map((flag) => FLAGS[flag]());
  if (from.length && !verdict?.aligned) told.unshift(verdict && (verdict.dmarc === 'fail' || verdict.spf === 'fail')
    ? _('The sender’s mail server says that this is not from them.') : _('Not verified: anybody can write such a sender.'));
  const grave = verdict?.dmarc === 'fail' || verdict?.spf === 'fail' || told.length > 1;
  return told.length ? html`<ul class=${grave ? 'letter__warn letter__warn--grave' : 'letter__warn'}>${told.map((text) => html`<li>${icon('alert')}${text}</li>`)}</ul>` : nothing;
}

const shown = ({ address, name }) => name || address;

function whom([first, ...more]) {
  if (!first) return _('More');
  return more.length ? ngettext('To {1} and {0} other', 'To {1} and {0} others', more.length, shown(first)) : _('To {0}', shown(first));
}

function row(label, people) {
  return people.length ? html`<dt>${label}</dt><dd>${people.map(({ address, name }) => html`<span><bdi>${name}</bdi> <bdi class="letter__address">${address}</bdi></span>`)}</dd>` : nothing;
}

function invitation({ summary, starts, ends, place, organizer, method }) {
  // With a zone it is told in the reader's; what has none means the clock of whoever wrote it.
  const at = (text) => (/T.*(Z|[+-]\d\d:\d\d)$/.test(text) ? exact(Date.parse(text)) : text.replace('T', ' ').slice(0, 16));
  return html`<div class="letter__date">${icon('clock')}<div><strong dir="auto">${summary || _('An appointment')}</strong>
    ${method === 'CANCEL' ? html`<span>${_('Called off')}</span>` : nothing}
    ${starts ? html`<span>${at(starts)}${ends ? ` – ${at(ends)}` : ''}</span>` : nothing}
    ${place ? html`<bdi>${place}</bdi>` : nothing}${organizer ? html`<bdi>${organizer}</bdi>` : nothing}</div></div>`;
}

customElements.define('p-letter', Letter);
