// Whether one takes work: online, busy, away until a time and why, or gone for today with or without handing back who waits.
// And the bell beside it. For the bar of the shell; registered by later.js.

import { _, date } from './base.js';
import { agents, apply, ask, me, preferences, tell } from './desk.js';
import { isQuiet } from './notices.js';
import { permission } from './notify.js';
import { Part, soon } from './parts.js';
import { glyph } from './pictures.js';
import { html, nothing } from './vendor/lit.js';

const MINUTE = 60_000;

const words = () => ({ online: _('Online'), busy: _('Busy'), away: _('Away'), offline: _('Offline') });
const meaning = () => ({
  online: _('New tickets come to you.'), busy: _('You keep what you have; nothing new comes.'),
  away: _('You are back in a while.'), offline: _('You are done for today.'),
});

const reasons = () => [_('Lunch'), _('Break'), _('Meeting'), _('Training')];

/** How it stands, as colleagues see it. */
const mine = () => ({ ...me.value?.agent, ...agents.value[me.value?.agent.id] });

class Availability extends Part {
  static properties = { chosen: { state: true }, until: { state: true }, reason: { state: true }, back: { state: true }, going: { state: true } };

  constructor() {
    super();
    Object.assign(this, { chosen: null, until: '', reason: '', back: true });
  }

  render() {
    const now = mine(), state = now.availability ?? 'offline', until = state !== 'online' && now.until > soon.value ? date(now.until, 'time') : '';
    const title = [words()[state], until && _('until {0}', until), now.automatic && _('Found to be away')].filter(Boolean).join(', ');
    return html`<button type="button" class="presence presence--${state}" popovertarget="availability" aria-haspopup="dialog" title=${title}>
        <span class="presence__dot" aria-hidden="true"></span><span class="sr">${_('Your availability')}: ${title}</span>
        <span class="presence__word" aria-hidden="true">${until || words()[state]}</span></button>
      <div id="availability" class="available" popover role="dialog" aria-label=${_('Your availability')} @toggle=${this.#toggled}>
        ${now.automatic && state === 'away' ? html`<p class="available__say">${_('You gave no sign of life, so nothing was offered to you. You are back with the first key or click.')}</p>` : nothing}
        <div role="group" aria-label=${_('Your availability')}>${Object.entries(words()).map(([value, word]) => html`<button type="button" class="available__one" aria-pressed=${value === (this.chosen ?? state) ? 'true' : 'false'} @click=${() => this.#choose(value)}>
          <span class=${`available__dot available__dot--${value}`} aria-hidden="true"></span><span><b>${word}</b> <span class="faint">${meaning()[value]}</span></span></button>`)}</div>
        ${this.chosen && this.chosen !== 'online' ? this.#more() : nothing}
      </div>`;
  }

  #more() {
    const away = this.chosen !== 'offline';
    return html`<form class="available__more" @submit=${this.#submit}>
      ${away ? html`<div class="available__times" role="group" aria-label=${_('How long')}>${[15, 30, 60, 120].map((minutes) => html`<button type="button" class="chip chip--do" @click=${() => { this.until = clock(Date.now() + minutes * MINUTE); }}>${
          minutes < 60 ? _('{0} min', String(minutes)) : _('{0} h', String(minutes / 60))}</button>`)}</div>
        <label class="available__field">${_('Back at')} <input type="time" .value=${this.until} @input=${(event) => { this.until = event.target.value; }}></label>` : nothing}
      <label class="available__field">${_('Why')} <input list="available-why" dir="auto" maxlength="100" autocomplete="off" placeholder=${_('If you like')} .value=${this.reason} @input=${(event) => { this.reason = event.target.value; }}></label>
      <datalist id="available-why">${reasons().map((one) => html`<option value=${one}></option>`)}</datalist>
      ${away ? nothing : html`<label class="available__back"><input type="checkbox" .checked=${this.back} @change=${(event) => { this.back = event.target.checked; }}> ${_('Hand back those who wait for me, so that others are asked')}</label>`}
      <button class="button" ?disabled=${this.going}>${_('Set to {0}', words()[this.chosen])}</button>
    </form>`;
  }

  #toggled = (event) => {
    if (event.newState === 'open') Object.assign(this, { chosen: null, until: '', reason: '', back: true });
  };

  #choose(value) {
    if (value === 'online') {
      this.#set({ availability: 'online' });
      return;
    }
    this.chosen = value;
    this.updateComplete.then(() => this.querySelector('.available__more input')?.focus());
  }

  #submit = (event) => {
    event.preventDefault();
    const body = { availability: this.chosen };
    if (this.chosen !== 'offline' && this.until) body.until = next(this.until);
    if (this.reason.trim()) body.reason = this.reason.trim();
    if (this.chosen === 'offline' && this.back) body.hand_back = true;
    this.#set(body);
  };

  async #set(body) {
    this.going = true;
    const done = await ask('put', '/me/availability', body);
    this.going = false;
    if (!done) return;
    apply({ type: 'local.availability', availability: body.availability });
    this.querySelector('#availability').hidePopover();
    if (body.until) tell(_('You are {0} until {1}.', words()[body.availability], date(body.until, 'time')));
  }
}

const clock = (at) => {
  const when = new Date(at);
  return `${String(when.getHours()).padStart(2, '0')}:${String(when.getMinutes()).padStart(2, '0')}`;
};

/** The next moment that the clock shows this: today, or when that has gone by, tomorrow. */
function next(text) {
  const when = new Date();
  when.setHours(Number(text.slice(0, 2)), Number(text.slice(3, 5)), 0, 0);
  return when.getTime() > Date.now() ? when.getTime() : when.getTime() + 24 * 60 * MINUTE;
}

// --- the bell -------------------------------------------------------------------------------------------------------

class Bell extends Part {
  render() {
    const quiet = isQuiet(preferences.value.quiet, new Date(soon.value)), ask_ = permission.value === 'default';
    const say = quiet ? _('Quiet hours') : ask_ ? _('Desktop notices are not allowed yet') : '';
    return html`<a class="bell ${ask_ ? 'bell--ask' : ''}" href="/preferences" title=${[_('Notifications'), say].filter(Boolean).join(': ')}>${glyph(quiet ? 'silent' : 'bell')}
      <span class="sr">${_('Notifications')} ${say}</span></a>`;
  }
}

customElements.define('p-availability', Availability);
customElements.define('p-bell', Bell);
