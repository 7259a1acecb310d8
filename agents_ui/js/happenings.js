// What happened to a ticket besides what was said, in words: who took it, where it went. Loaded with the first thread that has any.

import { _, date, day } from './base.js';
import { agentName, me, state, teams } from './desk.js';
import { priority } from './list.js';

const who = ({ by_kind: kind, by_id: id }) => (kind === 'contact' ? _('The customer') : kind === 'agent' && id === me.value.agent.id ? _('You') : agentName(kind, id));
const agent = (id) => agentName('agent', id);
const tag = (id) => state.value.tags[id]?.name ?? '…';

const WORDS = {
  'ticket.assigned': (by, { to, how }, one) => {
    if (to == null) return _('{0} put it back to the queue.', by);
    if (how === 'routed') return _('It was given to {0}.', agent(to));
    if (one.by_kind === 'agent' && one.by_id === to) return _('{0} took it.', by);
    return how === 'handed_over' ? _('{0} handed it over to {1}.', by, agent(to)) : _('{0} gave it to {1}.', by, agent(to));
  },
  'ticket.moved': (by, { team_id: id }) => (id == null ? _('{0} took it out of its team.', by) : _('{0} moved it to the team {1}.', by, teams.value[id]?.name ?? '…')),
  'ticket.resolved': (by) => _('{0} resolved it.', by),
  'ticket.reopened': (by, { because }) => (because === 'message' ? _('The customer wrote again: it is open.') : because === 'snooze_over' ? _('The time is over: it is open again.') : _('{0} reopened it.', by)),
  'ticket.snoozed': (by, { until }) => (until ? _('{0} snoozed it until {1}.', by, `${day(until)}, ${date(until, 'time')}`) : _('{0} snoozed it until the customer writes.', by)),
  'ticket.pending': (by) => _('{0} waits for the customer.', by),
  'ticket.priority_changed': (by, { priority: now }) => _('{0} set the priority to {1}.', by, priority(now)),
  'ticket.subject_changed': (by) => _('{0} changed the subject.', by),
  'ticket.marked_spam': (by, { spam }) => (spam ? _('{0} marked it as spam.', by) : _('{0} said that it is no spam.', by)),
  'ticket.tagged': (by, { tag_id: id }) => _('{0} added the tag {1}.', by, tag(id)),
  'ticket.untagged': (by, { tag_id: id }) => _('{0} took off the tag {1}.', by, tag(id)),
  'ticket.handed_off': (by, { to }) => (to === 'agent' ? _('The bot passed it on to people.') : _('It is with the bot.')),
  'ticket.joined': (by, { joined }) => _('{0} merged #{1} into it.', by, String(joined)),
  'ticket.merged': (by, { into }) => _('{0} merged it into #{1}.', by, String(into)),
  'ticket.parted': (by, { parted }) => _('{0} took #{1} out of it.', by, String(parted)),
  'ticket.unmerged': (by, { out_of: other }) => _('{0} took it out of #{1} again.', by, String(other)),
  'ticket.split': (by, { out_of: other }) => _('{0} split it off #{1}.', by, String(other)),
};

export const words = (one) => WORDS[one.name]?.(who(one), one.payload, one) ?? '';
