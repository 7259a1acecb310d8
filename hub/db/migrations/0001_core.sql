-- The record: who wrote, what was said, what became of it. Times are integer milliseconds UTC, truth is 0/1, JSON is text.

CREATE TABLE setting (
  name {text} PRIMARY KEY,
  value {text} NOT NULL
){strict};

-- staff -----------------------------------------------------------------------------------------------------------

CREATE TABLE role (
  id {id},
  name {text} NOT NULL UNIQUE,
  permissions {text} NOT NULL,          -- JSON list
  sees {text} NOT NULL CHECK (sees IN ('everything', 'inboxes', 'teams', 'own')),
  built_in {int} NOT NULL DEFAULT 0,
  created_at {int} NOT NULL
){strict};

CREATE TABLE agent (
  id {id},
  email {text} NOT NULL,
  email_folded {text} NOT NULL UNIQUE,
  name {text} NOT NULL,
  name_folded {text} NOT NULL,
  role_id {int} NOT NULL REFERENCES role (id),
  password_hash {text},
  language {text},
  languages {text} NOT NULL DEFAULT '[]',   -- JSON list: what they answer in
  skills {text} NOT NULL DEFAULT '[]',      -- JSON list
  capacity {int} NOT NULL DEFAULT 5,
  availability {text} NOT NULL DEFAULT 'offline' CHECK (availability IN ('online', 'busy', 'away', 'offline')),
  load {int} NOT NULL DEFAULT 0,            -- open tickets assigned, kept in the unit that changes them
  idle_since {int} NOT NULL DEFAULT 0,
  created_at {int} NOT NULL,
  disabled_at {int}
){strict};

CREATE TABLE team (
  id {id},
  name {text} NOT NULL,
  name_folded {text} NOT NULL UNIQUE,
  created_at {int} NOT NULL
){strict};

CREATE TABLE team_member (
  team_id {int} NOT NULL REFERENCES team (id),
  agent_id {int} NOT NULL REFERENCES agent (id),
  PRIMARY KEY (team_id, agent_id)
){strict};
CREATE INDEX team_member_agent ON team_member (agent_id);

CREATE TABLE session (
  id {id},
  agent_id {int} NOT NULL REFERENCES agent (id),
  token_hash {blob} NOT NULL UNIQUE,
  created_at {int} NOT NULL,
  used_at {int} NOT NULL,
  expires_at {int} NOT NULL
){strict};
CREATE INDEX session_agent ON session (agent_id);

CREATE TABLE api_token (
  id {id},
  agent_id {int} NOT NULL REFERENCES agent (id),
  name {text} NOT NULL,
  prefix {text} NOT NULL,                -- what may be shown to recognise it
  token_hash {blob} NOT NULL UNIQUE,
  scopes {text} NOT NULL,                -- JSON list
  created_at {int} NOT NULL,
  expires_at {int},
  used_at {int},
  revoked_at {int}
){strict};
CREATE INDEX api_token_agent ON api_token (agent_id);

-- One-time links: purpose, expiry, single use.
CREATE TABLE one_time (
  id {id},
  purpose {text} NOT NULL,
  token_hash {blob} NOT NULL UNIQUE,
  agent_id {int} REFERENCES agent (id),
  created_at {int} NOT NULL,
  expires_at {int} NOT NULL,
  used_at {int}
){strict};

-- Failed sign-ins, by what they were tried for: the throttle must survive a restart.
CREATE TABLE throttle (
  key {text} PRIMARY KEY,
  failures {int} NOT NULL,
  first_at {int} NOT NULL,
  until {int} NOT NULL
){strict};

CREATE TABLE presence (
  agent_id {int} PRIMARY KEY REFERENCES agent (id),
  until {int} NOT NULL,                  -- a lease, renewed by a process that holds a socket of theirs
  process {text} NOT NULL
){strict};

-- inboxes ---------------------------------------------------------------------------------------------------------

CREATE TABLE inbox (
  id {id},
  token {text} NOT NULL UNIQUE,
  kind {text} NOT NULL,
  name {text} NOT NULL,
  name_folded {text} NOT NULL UNIQUE,
  team_id {int} REFERENCES team (id),    -- where its tickets start
  settings {text} NOT NULL,              -- JSON, nothing secret
  secrets {blob},                        -- sealed
  enabled {int} NOT NULL DEFAULT 1,
  health_in_at {int}, health_in_error {text},
  health_out_at {int}, health_out_error {text},
  seen_at {int},
  created_at {int} NOT NULL
){strict};

CREATE TABLE inbox_team (
  inbox_id {int} NOT NULL REFERENCES inbox (id),
  team_id {int} NOT NULL REFERENCES team (id),
  PRIMARY KEY (inbox_id, team_id)
){strict};
CREATE INDEX inbox_team_team ON inbox_team (team_id);

-- people ----------------------------------------------------------------------------------------------------------

CREATE TABLE company (
  id {id},
  name {text} NOT NULL,
  name_folded {text} NOT NULL UNIQUE,
  created_at {int} NOT NULL
){strict};

CREATE TABLE contact (
  id {id},
  name {text} NOT NULL,
  name_folded {text} NOT NULL,
  company_id {int} REFERENCES company (id),
  language {text},
  inbox_id {int} REFERENCES inbox (id),  -- where they came from, and how
  place {text}, page {text}, referrer {text},
  utm {text},                            -- JSON object
  blocked_at {int},
  created_at {int} NOT NULL,
  changed_at {int} NOT NULL
){strict};
CREATE INDEX contact_company ON contact (company_id);
CREATE INDEX contact_created ON contact (created_at, id);
CREATE INDEX contact_name ON contact (name_folded, id);

CREATE TABLE contact_point (
  id {id},
  contact_id {int} NOT NULL REFERENCES contact (id),
  kind {text} NOT NULL,
  scope {text} NOT NULL DEFAULT '',      -- empty for e-mail and phone; the inbox, page or bot where ids are local to it
  value {text} NOT NULL,                 -- normalised
  shown {text} NOT NULL,                 -- as a person would write it
  sureness {text} NOT NULL CHECK (sureness IN ('typed', 'attested', 'verified')),
  created_at {int} NOT NULL,
  UNIQUE (kind, scope, value)
){strict};
CREATE INDEX contact_point_contact ON contact_point (contact_id);

-- What a person allowed or refused, as it was asked: rows are added, never changed; the newest of a purpose counts.
CREATE TABLE consent (
  id {id},
  contact_point_id {int} NOT NULL REFERENCES contact_point (id),
  purpose {text} NOT NULL,
  given {int} NOT NULL,
  wording {text} NOT NULL,
  how {text} NOT NULL,
  inbox_id {int} REFERENCES inbox (id),
  created_at {int} NOT NULL
){strict};
CREATE INDEX consent_point ON consent (contact_point_id, purpose, id);

-- desk ------------------------------------------------------------------------------------------------------------

CREATE TABLE ticket (
  id {id},
  number {int} NOT NULL UNIQUE,
  contact_id {int} NOT NULL REFERENCES contact (id),
  inbox_id {int} NOT NULL REFERENCES inbox (id),
  subject {text} NOT NULL,
  status {text} NOT NULL CHECK (status IN ('open', 'pending', 'snoozed', 'resolved')),
  priority {text} NOT NULL CHECK (priority IN ('low', 'normal', 'high', 'urgent')),
  urgency {int} NOT NULL,                -- the priority as a number, 0 the most urgent: what a queue sorts by
  team_id {int} REFERENCES team (id),
  assignee_id {int} REFERENCES agent (id),
  handler {text} NOT NULL CHECK (handler IN ('bot', 'agent')),
  spam {int} NOT NULL DEFAULT 0,
  waiting_since {int},                   -- the customer waits for us since then
  snoozed_until {int},
  offered_to {int} REFERENCES agent (id),
  offered_until {int},
  last_message_id {int},
  last_message_at {int} NOT NULL,
  changed_at {int} NOT NULL,
  place {text}, page {text}, referrer {text},
  utm {text},
  created_at {int} NOT NULL,
  resolved_at {int}
){strict};
CREATE INDEX ticket_contact ON ticket (contact_id, inbox_id, id);
CREATE INDEX ticket_newest ON ticket (last_message_at, id);
CREATE INDEX ticket_list ON ticket (status, last_message_at, id);
CREATE INDEX ticket_inbox ON ticket (inbox_id, status, last_message_at, id);
CREATE INDEX ticket_assignee ON ticket (assignee_id, status, last_message_at, id);
CREATE INDEX ticket_team ON ticket (team_id, status, last_message_at, id);
CREATE INDEX ticket_queue ON ticket (urgency, waiting_since, id)
  WHERE assignee_id IS NULL AND waiting_since IS NOT NULL AND spam = 0;
CREATE INDEX ticket_offered ON ticket (offered_to) WHERE offered_to IS NOT NULL;

-- Who let a ticket pass that was offered to them, in the present round of offers.
CREATE TABLE offer_passed (
  ticket_id {int} NOT NULL REFERENCES ticket (id),
  agent_id {int} NOT NULL REFERENCES agent (id),
  at {int} NOT NULL,
  PRIMARY KEY (ticket_id, agent_id)
){strict};

CREATE TABLE message (
  id {id},
  ticket_id {int} NOT NULL REFERENCES ticket (id),
  inbox_id {int} NOT NULL REFERENCES inbox (id),
  direction {text} NOT NULL CHECK (direction IN ('incoming', 'outgoing')),
  author_kind {text} NOT NULL CHECK (author_kind IN ('contact', 'agent', 'bot')),
  author_id {int} NOT NULL,
  text {text} NOT NULL,
  html {text},
  subject {text},
  external_id {text} NOT NULL,           -- the channel's id, never empty; ours for what we said
  in_reply_to {int},                     -- a message of the same ticket
  sent_at {int},                         -- by the sender's clock, clamped; order is by id
  details {text},                        -- JSON: what the channel says besides
  created_at {int} NOT NULL,
  edited_at {int},
  deleted_at {int},
  UNIQUE (inbox_id, external_id)
){strict};
CREATE INDEX message_ticket ON message (ticket_id, id);

CREATE TABLE note (
  id {id},
  ticket_id {int} NOT NULL REFERENCES ticket (id),
  agent_id {int} NOT NULL REFERENCES agent (id),
  text {text} NOT NULL,
  created_at {int} NOT NULL
){strict};
CREATE INDEX note_ticket ON note (ticket_id, id);

CREATE TABLE delivery (
  id {id},
  message_id {int} NOT NULL REFERENCES message (id),
  ticket_id {int} NOT NULL REFERENCES ticket (id),
  inbox_id {int} NOT NULL REFERENCES inbox (id),
  contact_point_id {int} REFERENCES contact_point (id),
  part {int} NOT NULL,                   -- 0, 1, …: one external id each
  body {text} NOT NULL,                  -- JSON of this part, as rendered when it was queued
  state {text} NOT NULL CHECK (state IN ('held', 'queued', 'sending', 'sent', 'delivered', 'read', 'cancelled', 'failed', 'unknown')),
  reason {text},
  external_id {text},
  attempts {int} NOT NULL DEFAULT 0,
  created_at {int} NOT NULL,
  changed_at {int} NOT NULL,
  UNIQUE (message_id, part)
){strict};
CREATE UNIQUE INDEX delivery_external ON delivery (inbox_id, external_id) WHERE external_id IS NOT NULL;
CREATE INDEX delivery_state ON delivery (state, changed_at) WHERE state IN ('held', 'queued', 'sending', 'unknown');
CREATE INDEX delivery_ticket ON delivery (ticket_id, id);

CREATE TABLE tag (
  id {id},
  name {text} NOT NULL,
  name_folded {text} NOT NULL UNIQUE,
  colour {text} NOT NULL DEFAULT 'grey',
  created_at {int} NOT NULL
){strict};

CREATE TABLE ticket_tag (
  ticket_id {int} NOT NULL REFERENCES ticket (id),
  tag_id {int} NOT NULL REFERENCES tag (id),
  PRIMARY KEY (ticket_id, tag_id)
){strict};
CREATE INDEX ticket_tag_tag ON ticket_tag (tag_id, ticket_id);

CREATE TABLE contact_tag (
  contact_id {int} NOT NULL REFERENCES contact (id),
  tag_id {int} NOT NULL REFERENCES tag (id),
  PRIMARY KEY (contact_id, tag_id)
){strict};
CREATE INDEX contact_tag_tag ON contact_tag (tag_id, contact_id);

-- Kept counters; 0 stands for nobody / no team. Never COUNT(*).
CREATE TABLE ticket_count (
  inbox_id {int} NOT NULL,
  status {text} NOT NULL,
  team_id {int} NOT NULL,
  assignee_id {int} NOT NULL,
  tickets {int} NOT NULL,
  PRIMARY KEY (inbox_id, status, team_id, assignee_id)
){strict};

-- feedback --------------------------------------------------------------------------------------------------------

CREATE TABLE feedback (
  id {id},
  kind {text} NOT NULL CHECK (kind IN ('praise', 'complaint', 'suggestion', 'rating')),
  score {int},
  score_max {int},
  text {text} NOT NULL DEFAULT '',
  category {text},
  severity {text} CHECK (severity IN ('low', 'normal', 'high', 'grave')),
  place {text},
  about {text},                          -- whom or what, as said
  about_agent_id {int} REFERENCES agent (id),
  wanted {text},
  promised_by {int},
  cause {text},
  outcome {text},
  contact_id {int} REFERENCES contact (id),
  ticket_id {int} REFERENCES ticket (id),
  inbox_id {int} REFERENCES inbox (id),
  door {text} NOT NULL,                  -- through which it came: form, api, chat…
  by_kind {text} NOT NULL,
  by_id {int} NOT NULL,
  created_at {int} NOT NULL,
  changed_at {int} NOT NULL
){strict};
CREATE INDEX feedback_kind ON feedback (kind, id);
CREATE INDEX feedback_contact ON feedback (contact_id, id);
CREATE INDEX feedback_ticket ON feedback (ticket_id, id);
CREATE INDEX feedback_about_agent ON feedback (about_agent_id, id);

-- the machinery ---------------------------------------------------------------------------------------------------

CREATE TABLE event (
  id {serial},
  name {text} NOT NULL,
  at {int} NOT NULL,
  by_kind {text} NOT NULL,
  by_id {int} NOT NULL,
  ticket_id {int},
  contact_id {int},
  inbox_before {int}, team_before {int}, assignee_before {int},
  inbox_after {int}, team_after {int}, assignee_after {int},
  payload {text} NOT NULL
){strict};
CREATE INDEX event_ticket ON event (ticket_id, id) WHERE ticket_id IS NOT NULL;
CREATE INDEX event_contact ON event (contact_id, id) WHERE contact_id IS NOT NULL;

-- Raw first: whatever a provider or a form sent is kept as it came, with what became of it.
CREATE TABLE inbound (
  id {id},
  inbox_id {int} NOT NULL REFERENCES inbox (id),
  received_at {int} NOT NULL,
  headers {text} NOT NULL,               -- JSON list of [name, value], without credentials
  query {text} NOT NULL DEFAULT '',
  body {blob} NOT NULL,
  -- waiting: a job goes on with it (a large batch, or it speaks of something that has not come yet)
  state {text} NOT NULL CHECK (state IN ('done', 'ignored', 'waiting', 'quarantined')),
  reason {text},
  tries {int} NOT NULL DEFAULT 1
){strict};
CREATE INDEX inbound_quarantined ON inbound (state, id) WHERE state = 'quarantined';
CREATE INDEX inbound_received ON inbound (received_at);

CREATE TABLE job (
  id {id},
  kind {text} NOT NULL,
  key {text},
  lane {int} NOT NULL,
  payload {text} NOT NULL,               -- JSON
  state {text} NOT NULL CHECK (state IN ('ready', 'blocked', 'running', 'dead')),
  run_at {int} NOT NULL,
  first_run_at {int} NOT NULL,
  attempts {int} NOT NULL,
  tried_at {int},                        -- when it was first taken: a head that fails holds its key only so long
  lease_until {int},
  lease_by {text},
  last_error {text},
  created_at {int} NOT NULL
){strict};
CREATE INDEX job_ready ON job (lane, run_at, id) WHERE state = 'ready';
CREATE INDEX job_running ON job (lease_until) WHERE state = 'running';
CREATE INDEX job_key ON job (key, state, first_run_at, id) WHERE key IS NOT NULL;
CREATE INDEX job_dead ON job (id) WHERE state = 'dead';

-- Which process polls or streams for an inbox, where there may be several.
CREATE TABLE lease (
  name {text} PRIMARY KEY,
  holder {text} NOT NULL,
  until {int} NOT NULL
){strict};

-- What a connector remembers of its inbox: a position in a mailbox, a number of an update.
CREATE TABLE connector_memory (
  inbox_id {int} NOT NULL REFERENCES inbox (id),
  name {text} NOT NULL,
  value {text} NOT NULL,
  PRIMARY KEY (inbox_id, name)
){strict};

-- The answer a command gave, under the client's own id: only success is remembered.
CREATE TABLE answered (
  actor {text} NOT NULL,
  client_id {text} NOT NULL,
  command {text} NOT NULL,
  request_hash {blob} NOT NULL,
  answer {text} NOT NULL,
  at {int} NOT NULL,
  PRIMARY KEY (actor, client_id)
){strict};
CREATE INDEX answered_at ON answered (at);
