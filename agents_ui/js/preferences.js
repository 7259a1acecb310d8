// How one wants the console to be: what is told by a notice or a sound and when it is quiet, how it looks, its keys. Kept by
// the desk, so that it is the same on every device; permission to show notices is this browser's.

import { _, lang } from './base.js';
import { prefer, preferences } from './desk.js';
import { OWN, WISHES, isQuiet, titles, wish } from './notices.js';
import { allow, permission, sample } from './notify.js';
import { Part, actions, icon, letters, perform, soon } from './parts.js';
import { glyph } from './pictures.js';
import { html, live, nothing } from './vendor/lit.js';

const weekday = (day) => new Intl.DateTimeFormat(Intl.DateTimeFormat.supportedLocalesOf([lang()]).length ? lang() : 'en', { weekday: 'short' }).format(new Date(2026, 2, 1 + day)); // 2 March 2026 was a Monday

class Preferences extends Part {
  render() {
    return html`<section class="prefs" aria-labelledby="prefs-title">
      <h1 id="prefs-title" tabindex="-1">${_('Preferences')}</h1>
      <section class="prefs__part" aria-labelledby="notices-title"><h2 id="notices-title">${_('Notifications')}</h2>${this.#permission()}${this.#matrix()}${this.#quiet()}</section>
      <section class="prefs__part" aria-labelledby="looks-title"><h2 id="looks-title">${_('Appearance')}</h2>
        ${choice('theme', _('Colours'), { auto: _('As the device has it'), light: _('Light'), dark: _('Dark') }, preferences.value.theme ?? 'auto')}
        ${choice('density', _('Rows of the list'), { comfortable: _('Comfortable'), compact: _('Compact') }, preferences.value.density ?? 'comfortable')}</section>
      <section class="prefs__part" aria-labelledby="writing-title"><h2 id="writing-title">${_('Writing')}</h2>
        ${enters('chat', _('Enter sends in chats'))}${enters('mail', _('Enter sends in letters'))}
        <p class="faint">${_('Shift and Enter begin a new line; Ctrl or ⌘ and Enter always send.')}</p>
        ${choice('undo_seconds', _('Time to call an answer back'), { 0: _('None'), 5: _('5 seconds'), 10: _('10 seconds'), 20: _('20 seconds') }, String(preferences.value.undo_seconds ?? 5), Number)}
        <p class="faint">${_('So long it waits before it leaves: Undo, or Ctrl or ⌘ and Z, puts it back into the field. In a chat it is there at once.')}</p>
        ${choice('after_resolve', _('After a ticket is resolved'), { next: _('On to the next'), list: _('Back to the list'), stay: _('Stay with it') }, preferences.value.after_resolve ?? 'next')}</section>
      <section class="prefs__part" aria-labelledby="keys-title"><h2 id="keys-title">${_('Keys')}</h2>
        <label class="switch"><input type="checkbox" .checked=${live(letters.value)} @change=${(event) => prefer({ letters: event.target.checked })}> ${_('Single letters work as keys')}</label>
        <p class="faint">${_('Switch them off if you speak to the computer, or if keys are pressed by mistake.')}</p>
        <button class="button button--plain" @click=${() => perform(actions.value.find((one) => one.name === 'help'))}>${_('Show and change the keys')}</button></section>
    </section>`;
  }

  // --- what the browser allows --------------------------------------------------------------------------------------

  #permission() {
    const now = permission.value;
    if (now === 'none') return html`<p class="prefs__say">${_('This browser cannot show desktop notices. Sounds work.')}</p>`;
    if (now === 'denied') return html`<p class="prefs__say prefs__say--wrong">${glyph('bell')}<span>${_('This browser has forbidden desktop notices. Allow them in its settings for this page, at the lock beside the address.')}</span></p>`;
    if (now === 'default') return html`<div class="prefs__say prefs__say--ask">${glyph('bell')}<span>${_('Desktop notices tell you of customers while you work in another window.')}</span><button class="button" @click=${allow}>${_('Allow desktop notices')}</button></div>`;
    return html`<p class="prefs__say prefs__say--good">${glyph('bell')}<span>${_('This browser shows desktop notices.')}</span><button class="button button--plain button--small" @click=${sample}>${_('Try it')}</button></p>`;
  }

  // --- what is told -------------------------------------------------------------------------------------------------

  #matrix() {
    const names = titles(), words = { mine: _('Only mine'), teams: _('Of my teams, and nobody’s'), all: _('All I may see') }, ways = { desktop: _('Desktop'), sound: _('Sound'), email: _('E-mail') };
    return html`<div class="prefs__scroll" tabindex="0" role="region" aria-label=${_('What is told')}><table class="matrix"><caption class="sr">${_('What is told')}</caption>
      <thead><tr><th scope="col">${_('When')}</th><th scope="col">${glyph('screen')}${_('Desktop')}</th><th scope="col">${glyph('sound')}${_('Sound')}</th><th scope="col">${icon('mail')}${_('E-mail')}</th><th scope="col">${_('Of which tickets')}</th></tr></thead>
      <tbody>${Object.keys(WISHES).map((event) => {
        const now = wish(preferences.value.notify, event), set = (some) => prefer({ notify: { ...preferences.value.notify, [event]: { ...now, ...some } } });
        return html`<tr><th scope="row">${names[event]}</th>
          ${['desktop', 'sound', 'email'].map((way) => html`<td><label class="matrix__box" data-word=${ways[way]}><input type="checkbox" aria-label=${`${names[event]}: ${ways[way]}`} .checked=${live(now[way])} @change=${(change) => set({ [way]: change.target.checked })}></label></td>`)}
          <td>${OWN.has(event) ? html`<span class="faint">${_('Only mine')}</span>` : html`<select aria-label=${_('Of which tickets: {0}', names[event])} @change=${(change) => set({ of: change.target.value })}>
            ${Object.entries(words).map(([value, word]) => html`<option value=${value} .selected=${value === now.of}>${word}</option>`)}</select>`}</td></tr>`;
      })}</tbody></table></div>
      <p class="faint">${_('By e-mail you are told at most once in five minutes, of what you have not read meanwhile, and only at an address that you have confirmed.')} <a href="/settings/profile">${_('Profile')}</a></p>`;
  }

  #quiet() {
    const quiet = preferences.value.quiet, days = quiet?.days ?? [];
    const set = (some) => prefer({ quiet: { from: '22:00', to: '07:00', days: [], ...quiet, ...some } });
    const day = (one) => set({ days: days.includes(one) ? days.filter((other) => other !== one) : [...days, one].sort() });
    return html`<fieldset class="quiet-hours"><legend class="sr">${_('Quiet hours')}</legend>
      <label class="switch"><input type="checkbox" .checked=${live(Boolean(quiet))} @change=${(event) => (event.target.checked ? set({}) : prefer({ quiet: null }))}> ${_('Quiet hours')}</label>
      ${quiet ? html`<div class="quiet-hours__when"><label>${_('From')} <input type="time" required .value=${live(quiet.from)} @change=${(event) => event.target.value && set({ from: event.target.value })}></label>
        <label>${_('until')} <input type="time" required .value=${live(quiet.to)} @change=${(event) => event.target.value && set({ to: event.target.value })}></label>
        <span class="quiet-hours__days" role="group" aria-label=${_('On which days they begin')}>${[1, 2, 3, 4, 5, 6, 7].map((one) => html`<button type="button" class="chip chip--do" aria-pressed=${!days.length || days.includes(one) ? 'true' : 'false'} @click=${() => day(one)}>${weekday(one)}</button>`)}</span></div>
        <p class="faint">${isQuiet(quiet, new Date(soon.value)) ? _('It is quiet now.') : _('Nothing sounds or shows then. It is all in the console when you look.')}</p>` : nothing}
    </fieldset>`;
  }
}

function enters(way, title) {
  const now = preferences.value.enter_sends ?? { chat: true, mail: false }, both = typeof now === 'boolean' ? { chat: now, mail: now } : now;
  return html`<label class="switch"><input type="checkbox" .checked=${live(both[way])} @change=${(event) => prefer({ enter_sends: { ...both, [way]: event.target.checked } })}> ${title}</label>`;
}

const choice = (name, title, words, now, of = String) => html`<fieldset class="prefs__choice"><legend>${title}</legend>${Object.entries(words).map(([value, word]) => html`<label class="way"><input type="radio" name=${name} value=${value}
  .checked=${live(value === now)} @change=${() => prefer({ [name]: of(value) })}>${word}</label>`)}</fieldset>`;

customElements.define('p-preferences', Preferences);
