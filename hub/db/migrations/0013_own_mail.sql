-- A mail of the desk itself is made of its purpose and a few values when it leaves, in the language of whoever reads it.
-- (The table of 0011 was never written to.)

DROP TABLE own_mail;
CREATE TABLE own_mail (
  id {id},
  token {text} NOT NULL UNIQUE,          -- ours, the same at every attempt
  inbox_id {int} NOT NULL REFERENCES inbox (id),
  purpose {text} NOT NULL,
  address {text} NOT NULL,
  language {text} NOT NULL,
  agent_id {int} REFERENCES agent (id),  -- whom it is for, or who asked for it
  ticket_id {int} REFERENCES ticket (id),
  fields {text} NOT NULL,                -- JSON: what the letter is filled with
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
CREATE INDEX own_mail_purpose ON own_mail (purpose, created_at);
