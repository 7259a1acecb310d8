-- Routing that leaves nobody waiting unseen: a way back from away, load in points, business hours, the reply clock, and
-- what the board counts.

ALTER TABLE agent ADD COLUMN until {int};              -- when they mean to take work again
ALTER TABLE agent ADD COLUMN reason {text};
ALTER TABLE agent ADD COLUMN automatic {text};         -- away without having said so: what they were before
ALTER TABLE agent ADD COLUMN active_at {int} NOT NULL DEFAULT 0;
-- Capacity counted tickets and counts points now, of which a chat has two.
UPDATE agent SET capacity = CASE WHEN capacity > 50 THEN 100 ELSE capacity * 2 END;

ALTER TABLE ticket ADD COLUMN weight {int} NOT NULL DEFAULT 1;   -- points of load, as its inbox had it when it was opened
ALTER TABLE ticket ADD COLUMN waited_since {int};      -- put off while the customer waited: since when they do
ALTER TABLE ticket ADD COLUMN first_reply_at {int};    -- when an agent answered first
ALTER TABLE ticket ADD COLUMN due_at {int};            -- the reply clock: when the next word of ours is due
ALTER TABLE ticket ADD COLUMN due_kind {text} CHECK (due_kind IN ('first', 'next'));
ALTER TABLE ticket ADD COLUMN due_state {text} CHECK (due_state IN ('ok', 'warned', 'breached'));
ALTER TABLE ticket ADD COLUMN clock_from {int};        -- since when it runs
ALTER TABLE ticket ADD COLUMN clock_used {int} NOT NULL DEFAULT 0;   -- milliseconds that it ran before it was stopped
UPDATE ticket SET first_reply_at = (
  SELECT MIN(message.created_at) FROM message
  WHERE message.ticket_id = ticket.id AND message.direction = 'outgoing' AND message.author_kind = 'agent');
CREATE INDEX ticket_waiting ON ticket (waiting_since, id) WHERE waiting_since IS NOT NULL AND spam = 0;
CREATE INDEX ticket_due ON ticket (due_at, id) WHERE due_at IS NOT NULL;
CREATE INDEX ticket_first_reply ON ticket (first_reply_at, id) WHERE first_reply_at IS NOT NULL;

UPDATE inbox SET settings = REPLACE(settings, '"routing":"off"', '"routing":"claim"');

CREATE TABLE hours (
  id {id},
  name {text} NOT NULL,
  name_folded {text} NOT NULL UNIQUE,
  zone {text} NOT NULL,
  week {text} NOT NULL,                -- JSON: seven days from Monday, each a list of [from, to]
  country {text}, region {text},       -- whose public holidays are kept
  days {text} NOT NULL DEFAULT '[]',   -- JSON: days that are otherwise
  created_at {int} NOT NULL
){strict};
ALTER TABLE team ADD COLUMN hours_id {int} REFERENCES hours (id);

-- Public holidays as the library knew them when they were last looked up: a deadline must not hang on what is installed.
CREATE TABLE holiday (
  country {text} NOT NULL,
  region {text} NOT NULL,
  day {text} NOT NULL,
  name {text} NOT NULL,
  PRIMARY KEY (country, region, day)
){strict};

-- How soon we mean to answer. inbox_id 0: in every inbox that has no row of its own for this priority.
CREATE TABLE reply_target (
  inbox_id {int} NOT NULL,
  priority {text} NOT NULL CHECK (priority IN ('low', 'normal', 'high', 'urgent')),
  first_reply_minutes {int},
  next_reply_minutes {int},
  warn_minutes {int} NOT NULL DEFAULT 0,
  raise_priority {int} NOT NULL DEFAULT 0,
  put_back {int} NOT NULL DEFAULT 0,
  escalate_to_team_id {int} REFERENCES team (id),
  PRIMARY KEY (inbox_id, priority)
){strict};

-- What happened in a quarter of an hour, counted in the unit that did it. 0: no team, nobody.
CREATE TABLE tally (
  slot {int} NOT NULL,
  what {text} NOT NULL,
  inbox_id {int} NOT NULL,
  team_id {int} NOT NULL,
  agent_id {int} NOT NULL,
  number {int} NOT NULL,
  PRIMARY KEY (slot, what, inbox_id, team_id, agent_id)
){strict};
