-- What agents do with tickets besides answering them: reading, drafting, following, merging, many at once.

ALTER TABLE ticket ADD COLUMN last_incoming_id {int};                   -- the newest message of the contact
ALTER TABLE ticket ADD COLUMN read_to {int} NOT NULL DEFAULT 0;         -- the newest message that any agent has read
ALTER TABLE ticket ADD COLUMN merged_into {int} REFERENCES ticket (id); -- it is part of that one now
UPDATE ticket SET last_incoming_id = (
  SELECT MAX(message.id) FROM message WHERE message.ticket_id = ticket.id AND message.direction = 'incoming');
CREATE INDEX ticket_merged ON ticket (merged_into) WHERE merged_into IS NOT NULL;
-- The orders of a list besides the newest words; what is resolved has no place in them.
CREATE INDEX ticket_oldest ON ticket ((COALESCE(waiting_since, 9007199254740991)), id) WHERE status <> 'resolved';
CREATE INDEX ticket_urgency ON ticket (urgency, (COALESCE(waiting_since, 9007199254740991)), id)
  WHERE status <> 'resolved';
CREATE INDEX ticket_spam ON ticket (last_message_at, id) WHERE spam = 1;
CREATE INDEX ticket_snoozed ON ticket (snoozed_until, id) WHERE status = 'snoozed';

-- Of the tickets of a cell: in how many the customer waits, and how many more are spam.
ALTER TABLE ticket_count ADD COLUMN waiting {int} NOT NULL DEFAULT 0;
ALTER TABLE ticket_count ADD COLUMN spam {int} NOT NULL DEFAULT 0;
INSERT INTO ticket_count (inbox_id, status, team_id, assignee_id, tickets, waiting, spam)
SELECT inbox_id, status, COALESCE(team_id, 0), COALESCE(assignee_id, 0), 0,
       SUM(CASE WHEN spam = 0 AND waiting_since IS NOT NULL THEN 1 ELSE 0 END), SUM(spam)
FROM ticket WHERE 1 = 1 GROUP BY inbox_id, status, COALESCE(team_id, 0), COALESCE(assignee_id, 0)
ON CONFLICT (inbox_id, status, team_id, assignee_id)
DO UPDATE SET waiting = excluded.waiting, spam = excluded.spam;
CREATE INDEX ticket_count_assignee ON ticket_count (assignee_id);
CREATE INDEX ticket_count_team ON ticket_count (team_id);

-- Up to which message an agent has read a ticket. None: nothing of it.
CREATE TABLE ticket_read (
  agent_id {int} NOT NULL REFERENCES agent (id),
  ticket_id {int} NOT NULL REFERENCES ticket (id),
  message_id {int} NOT NULL,
  PRIMARY KEY (agent_id, ticket_id)
){strict};
CREATE INDEX ticket_read_ticket ON ticket_read (ticket_id);

CREATE TABLE preferences (
  agent_id {int} PRIMARY KEY REFERENCES agent (id),
  value {text} NOT NULL,                 -- JSON, as hub.staff.preferences has it
  changed_at {int} NOT NULL
){strict};

-- What an agent has begun to write, one of each mode for a ticket.
CREATE TABLE draft (
  agent_id {int} NOT NULL REFERENCES agent (id),
  ticket_id {int} NOT NULL REFERENCES ticket (id),
  mode {text} NOT NULL CHECK (mode IN ('reply', 'note')),
  text {text} NOT NULL,
  saved_at {int} NOT NULL,
  PRIMARY KEY (agent_id, ticket_id, mode)
){strict};
CREATE INDEX draft_ticket ON draft (ticket_id);

-- Text under a short name: of one agent, of a team, or of the whole desk (neither is set).
CREATE TABLE canned (
  id {id},
  short {text} NOT NULL,
  short_folded {text} NOT NULL,
  title {text} NOT NULL,
  text {text} NOT NULL,
  language {text},
  team_id {int} REFERENCES team (id),
  agent_id {int} REFERENCES agent (id),
  created_at {int} NOT NULL,
  changed_at {int} NOT NULL
){strict};
CREATE UNIQUE INDEX canned_short ON canned
  (short_folded, (COALESCE(team_id, 0)), (COALESCE(agent_id, 0)), (COALESCE(language, '')));
CREATE INDEX canned_team ON canned (team_id) WHERE team_id IS NOT NULL;
CREATE INDEX canned_agent ON canned (agent_id) WHERE agent_id IS NOT NULL;

CREATE TABLE follower (
  ticket_id {int} NOT NULL REFERENCES ticket (id),
  agent_id {int} NOT NULL REFERENCES agent (id),
  since {int} NOT NULL,
  PRIMARY KEY (ticket_id, agent_id)
){strict};
CREATE INDEX follower_agent ON follower (agent_id, ticket_id);

CREATE TABLE mention (
  note_id {int} NOT NULL REFERENCES note (id),
  agent_id {int} NOT NULL REFERENCES agent (id),
  ticket_id {int} NOT NULL REFERENCES ticket (id),
  at {int} NOT NULL,
  seen_at {int},
  PRIMARY KEY (note_id, agent_id)
){strict};
CREATE INDEX mention_agent ON mention (agent_id, ticket_id);
CREATE INDEX mention_ticket ON mention (ticket_id);
CREATE INDEX mention_unseen ON mention (agent_id, ticket_id) WHERE seen_at IS NULL;

ALTER TABLE contact ADD COLUMN blocked_reason {text};
ALTER TABLE contact ADD COLUMN blocked_by {int} REFERENCES agent (id);
-- Set where it was put aside unread because the contact is blocked; what it says stays in its raw bytes.
ALTER TABLE inbound ADD COLUMN contact_id {int} REFERENCES contact (id);
ALTER TABLE inbound ADD COLUMN restored_at {int};
CREATE INDEX inbound_blocked ON inbound (id) WHERE contact_id IS NOT NULL AND state = 'ignored';
CREATE INDEX inbound_contact ON inbound (contact_id) WHERE contact_id IS NOT NULL;

-- A merge or a split as it was done: enough to take it back exactly.
CREATE TABLE ticket_merge (
  id {id},
  what {text} NOT NULL CHECK (what IN ('merge', 'split')),
  ticket_id {int} NOT NULL REFERENCES ticket (id),  -- merged: the one that is gone; split: the new one
  other_id {int} NOT NULL REFERENCES ticket (id),   -- into which it went; out of which it came
  journal {text} NOT NULL,               -- JSON: what was where
  by_kind {text} NOT NULL,
  by_id {int} NOT NULL,
  at {int} NOT NULL,
  undone_at {int}
){strict};
CREATE INDEX ticket_merge_ticket ON ticket_merge (ticket_id, id);
CREATE INDEX ticket_merge_other ON ticket_merge (other_id, id);

-- A saved filter, of one agent or shared with all.
CREATE TABLE saved_view (
  id {id},
  agent_id {int} NOT NULL REFERENCES agent (id),
  name {text} NOT NULL,
  filter {text} NOT NULL,                -- JSON
  sort {text} NOT NULL,
  shared {int} NOT NULL DEFAULT 0,
  created_at {int} NOT NULL,
  changed_at {int} NOT NULL
){strict};
CREATE INDEX saved_view_agent ON saved_view (agent_id);
CREATE INDEX saved_view_shared ON saved_view (id) WHERE shared = 1;

-- One action on many tickets, with what each was before: to take it back.
CREATE TABLE bulk (
  id {id},
  agent_id {int} NOT NULL REFERENCES agent (id),
  action {text} NOT NULL,                -- JSON
  total {int} NOT NULL,
  done {int} NOT NULL DEFAULT 0,
  refused {int} NOT NULL DEFAULT 0,
  started_at {int} NOT NULL,
  ended_at {int},
  undone_at {int}
){strict};
CREATE INDEX bulk_started ON bulk (started_at);

CREATE TABLE bulk_item (
  bulk_id {int} NOT NULL REFERENCES bulk (id),
  ticket_id {int} NOT NULL REFERENCES ticket (id),
  state {text} NOT NULL CHECK (state IN ('waiting', 'done', 'refused', 'undone')),
  before {text},                         -- JSON
  reason {text},
  PRIMARY KEY (bulk_id, ticket_id)
){strict};
CREATE INDEX bulk_item_ticket ON bulk_item (ticket_id);
CREATE INDEX bulk_item_waiting ON bulk_item (bulk_id, ticket_id) WHERE state = 'waiting';
