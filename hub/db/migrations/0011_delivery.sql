-- What goes out later or can still be called back, the desk's own mail, and what is told by it.

-- Set as long as the message has not been said: the delivery is held until then. `later`: a person chose the time, and
-- it is called back when the contact writes first; else it is held only so that whoever wrote it can undo it.
ALTER TABLE delivery ADD COLUMN send_at {int};
ALTER TABLE delivery ADD COLUMN later {int} NOT NULL DEFAULT 0;
CREATE INDEX delivery_planned ON delivery (ticket_id, send_at) WHERE send_at IS NOT NULL AND state = 'held';
CREATE INDEX delivery_open ON delivery (id) WHERE state IN ('held', 'queued', 'sending', 'unknown', 'failed');

ALTER TABLE contact ADD COLUMN zone {text};              -- where their clock is: Africa/Addis_Ababa
ALTER TABLE agent ADD COLUMN address_proved_at {int};    -- a link that was mailed to their address came back

-- A mail of the desk itself: an invitation, a forgotten password, a digest, a transcript. A delivery without a ticket.
CREATE TABLE own_mail (
  id {id},
  token {text} NOT NULL UNIQUE,          -- ours, the same at every attempt
  inbox_id {int} NOT NULL REFERENCES inbox (id),
  purpose {text} NOT NULL,
  address {text} NOT NULL,
  agent_id {int} REFERENCES agent (id),  -- whom it is for, or who asked for it
  ticket_id {int} REFERENCES ticket (id),
  subject {text} NOT NULL,
  text {text} NOT NULL,                  -- emptied once it has left, where a secret stands in it
  html {text},
  state {text} NOT NULL CHECK (state IN ('queued', 'sending', 'sent', 'delivered', 'read', 'cancelled', 'failed', 'unknown')),
  reason {text},
  external_id {text},
  attempts {int} NOT NULL DEFAULT 0,
  created_at {int} NOT NULL,
  changed_at {int} NOT NULL
){strict};
CREATE INDEX own_mail_open ON own_mail (id) WHERE state IN ('queued', 'sending', 'unknown', 'failed');
CREATE INDEX own_mail_external ON own_mail (inbox_id, external_id) WHERE external_id IS NOT NULL;
CREATE INDEX own_mail_changed ON own_mail (changed_at);
CREATE INDEX own_mail_address ON own_mail (address, purpose, created_at);

-- What an agent is to be told of by mail: gathered, so that there is one mail for all of it.
CREATE TABLE agent_notice (
  id {id},
  agent_id {int} NOT NULL REFERENCES agent (id),
  ticket_id {int} NOT NULL REFERENCES ticket (id),
  what {text} NOT NULL,
  message_id {int},                      -- of a customer's message: what is read before the mail goes is not in it
  at {int} NOT NULL
){strict};
CREATE INDEX agent_notice_agent ON agent_notice (agent_id, id);

-- What a visitor had not read in the chat and was sent by mail, so that it is sent once.
CREATE TABLE mailed_copy (
  message_id {int} PRIMARY KEY REFERENCES message (id),
  copy_id {int} NOT NULL REFERENCES message (id)
){strict};

-- A code by which a visitor shows that an address is theirs.
CREATE TABLE address_code (
  visitor_id {int} PRIMARY KEY REFERENCES visitor (id),
  address {text} NOT NULL,
  code_hash {blob} NOT NULL,
  tries {int} NOT NULL DEFAULT 0,
  created_at {int} NOT NULL
){strict};
