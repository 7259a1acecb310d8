// One thing done with several tickets at once: the bar above the list while some are selected. Loaded with the first selection.

import { _, ngettext } from './base.js';
import { choose } from './choose.js';
import { change, did, may, state, tell } from './desk.js';
import { picked, priority, shown } from './list.js';
import { people, times } from './menus.js';
import { Part, bring, icon } from './parts.js';
import { html, nothing } from './vendor/lit.js';

const AT_ONCE = 4;

class Bulk extends Part {
  connectedCallback() {
    super.connectedCallback();
    bring({ name: 'bulk.css', load: () => Promise.resolve(), css: 'bulk.css' });
  }

  render() {
    const some = picked.value.size, all = shown.value.length;
    const tool = (name, label, run) => html`<button class="tool" title=${label} aria-label=${label} @click=${(event) => run(event.currentTarget)}>${icon(name)}</button>`;
    return html`<div class="bulk" role="toolbar" aria-label=${_('With what is selected')}>
      <span class="bulk__count" role="status">${ngettext('{0} selected', '{0} selected', some)}</span><span class="gap"></span>
      ${may('tickets.assign') ? tool('assign', _('Assign to…'), assign) : nothing}
      ${may('tickets.change') ? html`${tool('tag', _('Tags'), tag)}${tool('snooze', _('Snooze'), snooze)}${tool('resolve', _('Resolve'), resolve)}` : nothing}
      ${tool('more', _('More'), (anchor) => more(anchor, all))}
      ${tool('close', _('Clear the selection'), () => { picked.value = new Set(); })}
    </div>`;
  }
}

const more = (anchor, all) => choose(anchor, {
  title: _('With what is selected'), search: false, pick: ({ run }) => run(),
  items: [
    { text: _('Select all {0} that are here', String(all)), icon: 'checks', run: () => { picked.value = new Set(shown.value); } },
    ...(may('tickets.change') ? [{ text: _('Priority'), icon: 'flag', run: () => urgency(anchor) }, { text: _('Spam'), icon: 'spam', danger: true, run: spam }] : []),
  ],
});

/**
 * @param {(ticket: object) => [string, object, object, string?]} step for each ticket: verb, body, what it shows at once, method
 * @param {(ticket: object) => [string, object, object, string?]} back the same, to take it back; given the ticket as it was
 */
async function each(step, back, told) {
  const before = [...picked.value].map((number) => state.value.tickets[number]).filter(Boolean);
  picked.value = new Set();
  const done = await run(before, step);
  if (done.length) did(told(done.length), back && (() => run(done, back)));
  if (done.length < before.length) tell(ngettext('{0} ticket could not be changed.', '{0} tickets could not be changed.', before.length - done.length));
}

async function run(tickets, step) {
  const todo = [...tickets], done = [];
  await Promise.all(Array.from({ length: AT_ONCE }, async () => {
    for (let ticket = todo.shift(); ticket; ticket = todo.shift()) if (await change(ticket.number, ...step(ticket))) done.push(ticket);
  }));
  return done;
}

const assign = (anchor) => choose(anchor, {
  title: _('Assign to'), search: true, items: [...people(null), { value: null, text: _('Nobody: back to the queue'), icon: 'inbox' }],
  pick: ({ value, text }) => each(() => ['assign', { agent_id: value }, { assignee_id: value }], (was) => ['assign', { agent_id: was.assignee_id }, { assignee_id: was.assignee_id }],
    (n) => (value === null ? ngettext('{0} ticket is nobody’s now.', '{0} tickets are nobody’s now.', n) : ngettext('{0} ticket is with {1} now.', '{0} tickets are with {1} now.', n, text))),
});

const urgency = (anchor) => choose(anchor, {
  title: _('Priority'), items: ['urgent', 'high', 'normal', 'low'].map((value) => ({ value, text: priority(value), icon: 'flag' })),
  pick: ({ value }) => each(() => ['', { priority: value }, { priority: value }, 'patch'], (was) => ['', { priority: was.priority }, { priority: was.priority }, 'patch'],
    (n) => ngettext('{0} ticket has another priority now.', '{0} tickets have another priority now.', n)),
});

const tag = (anchor) => choose(anchor, {
  title: _('Tags'), search: true, placeholder: _('Find or make a tag'),
  items: (query) => {
    const wish = query.trim(), names = Object.values(state.value.tags).map(({ name }) => name).sort((a, b) => a.localeCompare(b));
    const found = names.filter((name) => name.toLocaleLowerCase().includes(wish.toLocaleLowerCase())).map((name) => ({ value: name, text: name, icon: 'tag' }));
    return wish && !names.includes(wish) ? [...found, { value: wish, text: _('New tag “{0}”', wish), icon: 'plus' }] : found;
  },
  pick: ({ value }) => each((now) => ['tag', { tag: value }, { tags: [...new Set([...now.tags, value])] }],
    (was) => (was.tags.includes(value) ? ['tag', { tag: value }, {}] : ['untag', { tag: value }, { tags: was.tags }]),
    (n) => ngettext('{0} ticket has the tag {1} now.', '{0} tickets have the tag {1} now.', n, value)),
});

const reopened = (was) => (was.status === 'pending' ? ['pending', {}, { status: 'pending' }] : ['reopen', {}, { status: 'open', snoozed_until: null }]);

const snooze = (anchor) => choose(anchor, {
  title: _('Snooze'), items: [...times(), { text: _('Until the customer writes'), value: null }].map((item) => ({ icon: 'snooze', ...item })),
  pick: ({ value }) => each(() => ['snooze', { until: value }, { status: 'snoozed', snoozed_until: value }], reopened, (n) => ngettext('{0} ticket sleeps now.', '{0} tickets sleep now.', n)),
});

const resolve = () => each(() => ['resolve', {}, { status: 'resolved' }], reopened, (n) => ngettext('{0} ticket is resolved.', '{0} tickets are resolved.', n));

const spam = () => each(() => ['', { spam: true }, { spam: true }, 'patch'], () => ['', { spam: false }, { spam: false }, 'patch'],
  (n) => ngettext('{0} ticket is spam now.', '{0} tickets are spam now.', n));

customElements.define('p-bulk', Bulk);
