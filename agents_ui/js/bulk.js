// One thing done with several tickets at once: the bar above the list while some are selected. Loaded with the first selection.

import { _, ngettext } from './base.js';
import { choose } from './choose.js';
import { ask, complete, did, dismiss, hear, may, state, teams, tell, toasts } from './desk.js';
import { picked, priority, shown, want } from './list.js';
import { people, times, typed } from './menus.js';
import { Part, bring, icon } from './parts.js';
import { html, nothing } from './vendor/lit.js';
import { signal } from './vendor/signals-core.js';

const MOST = 500; // numbers that one request takes; more than that goes by the filter
const whole = signal(null); // the key of the list of which everything is meant, here or not

class Bulk extends Part {
  connectedCallback() {
    super.connectedCallback();
    bring({ name: 'bulk.css', load: () => Promise.resolve(), css: 'bulk.css' });
  }

  render() {
    const some = picked.value.size, here = shown.value.length;
    const tool = (name, label, run) => html`<button class="tool" title=${label} aria-label=${label} @click=${(event) => run(event.currentTarget)}>${icon(name)}</button>`;
    return html`<div class="bulk" role="toolbar" aria-label=${_('With what is selected')}>
      <span class="bulk__count" role="status">${meansAll() ? _('All of this view') : ngettext('{0} selected', '{0} selected', some)}</span><span class="gap"></span>
      ${may('tickets.assign') ? tool('assign', _('Assign to…'), assign) : nothing}
      ${may('tickets.change') ? html`${tool('tag', _('Tags'), tag)}${tool('snooze', _('Snooze'), snooze)}${tool('resolve', _('Resolve'), resolve)}` : nothing}
      ${tool('more', _('More'), (anchor) => more(anchor, here))}
      ${tool('close', _('Clear the selection'), () => { picked.value = new Set(); })}
    </div>`;
  }
}

const meansAll = () => whole.value === want.value.key && picked.value.size > 0;

function all(everything) {
  picked.value = new Set(shown.value);
  whole.value = everything || picked.value.size > MOST ? want.value.key : null;
}

const more = (anchor, here) => choose(anchor, {
  title: _('With what is selected'), search: false, pick: ({ run }) => run(),
  items: [
    { text: _('Select all {0} that are here', String(here)), icon: 'checks', run: () => all(false) },
    ...(complete(want.value) ? [] : [{ text: _('Select everything in this view'), icon: 'views', run: () => all(true) }]),
    ...(may('tickets.assign') && Object.keys(teams.value).length ? [{ text: _('Team'), icon: 'team', run: () => move(anchor) }] : []),
    ...(may('tickets.change') ? [{ text: _('Priority'), icon: 'flag', run: () => urgency(anchor) }, { text: _('Spam'), icon: 'spam', danger: true, run: spam }] : []),
  ],
});

/** One thing to all that is meant. @param {(n: number) => string} told what is said when it is done */
async function each(what, told) {
  const { view, filter } = want.value, numbers = [...picked.value];
  const asked = meansAll() ? { filter: { view, ...typed(filter) } } : { numbers: numbers.slice(0, MOST) };
  picked.value = new Set();
  whole.value = null;
  const begun = await ask('post', '/tickets/bulk', { ...what, ...asked });
  if (!begun) return;
  const ended = begun.ended ? begun : await progress(begun);
  if (ended.done) did(told(ended.done), () => back(ended.id));
  if (ended.refused.length) tell(ngettext('{0} ticket could not be changed.', '{0} tickets could not be changed.', ended.refused.length));
}

async function back(id) {
  const begun = await ask('post', `/bulk/${id}/undo`);
  if (begun && !begun.ended) await progress(begun);
}

/** Tells how far it has come, until it has ended. */
function progress(begun) {
  return new Promise((done) => {
    let key = null;
    const say = ({ done: n, total }) => {
      if (key) dismiss(key);
      tell(_('{0} of {1} are done…', String(n), String(total)), null);
      key = toasts.value.at(-1).key;
    };
    say(begun);
    const end = hear((frame) => {
      if (frame.type !== 'own' || frame.what !== 'bulk' || frame.bulk.id !== begun.id) return;
      if (!frame.bulk.ended) return void say(frame.bulk);
      dismiss(key);
      end();
      done(frame.bulk);
    });
  });
}

const assign = (anchor) => choose(anchor, {
  title: _('Assign to'), search: true, items: [...people(null), { value: null, text: _('Nobody: back to the queue'), icon: 'inbox' }],
  pick: ({ value, text }) => each({ do: 'assign', agent_id: value },
    (n) => (value === null ? ngettext('{0} ticket is nobody’s now.', '{0} tickets are nobody’s now.', n) : ngettext('{0} ticket is with {1} now.', '{0} tickets are with {1} now.', n, text))),
});

const move = (anchor) => choose(anchor, {
  title: _('Team'), items: [...Object.values(teams.value).map(({ id, name }) => ({ value: id, text: name, icon: 'team' })), { value: null, text: _('No team'), icon: 'inbox' }],
  pick: ({ value, text }) => each({ do: 'move', team_id: value }, (n) => ngettext('{0} ticket is with {1} now.', '{0} tickets are with {1} now.', n, text)),
});

const urgency = (anchor) => choose(anchor, {
  title: _('Priority'), items: ['urgent', 'high', 'normal', 'low'].map((value) => ({ value, text: priority(value), icon: 'flag' })),
  pick: ({ value }) => each({ do: 'priority', priority: value }, (n) => ngettext('{0} ticket has another priority now.', '{0} tickets have another priority now.', n)),
});

const tag = (anchor) => choose(anchor, {
  title: _('Tags'), search: true, placeholder: _('Find or make a tag'),
  items: (query) => {
    const wish = query.trim(), names = Object.values(state.value.tags).map(({ name }) => name).sort((a, b) => a.localeCompare(b));
    const found = names.filter((name) => name.toLocaleLowerCase().includes(wish.toLocaleLowerCase())).map((name) => ({ value: name, text: name, icon: 'tag' }));
    return wish && !names.includes(wish) ? [...found, { value: wish, text: _('New tag “{0}”', wish), icon: 'plus' }] : found;
  },
  pick: ({ value }) => each({ do: 'tag', tag: value }, (n) => ngettext('{0} ticket has the tag {1} now.', '{0} tickets have the tag {1} now.', n, value)),
});

const snooze = (anchor) => choose(anchor, {
  title: _('Snooze'), items: [...times(), { text: _('Until the customer writes'), value: null }].map((item) => ({ icon: 'snooze', ...item })),
  pick: ({ value }) => each({ do: 'snooze', until: value }, (n) => ngettext('{0} ticket sleeps now.', '{0} tickets sleep now.', n)),
});

const resolve = () => each({ do: 'resolve' }, (n) => ngettext('{0} ticket is resolved.', '{0} tickets are resolved.', n));
const spam = () => each({ do: 'spam', spam: true }, (n) => ngettext('{0} ticket is spam now.', '{0} tickets are spam now.', n));

customElements.define('p-bulk', Bulk);
