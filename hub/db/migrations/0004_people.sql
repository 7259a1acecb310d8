-- Contacts for the console: whose they are, when to write next, notes, fields of one's own, words to find them by.

ALTER TABLE contact ADD COLUMN title {text};             -- what they are there: head of purchasing
ALTER TABLE contact ADD COLUMN owner_id {int} REFERENCES agent (id);
ALTER TABLE contact ADD COLUMN next_contact_at {int};
ALTER TABLE contact ADD COLUMN seen_at {int} NOT NULL DEFAULT 0;     -- when they last wrote; before that, when they were made
ALTER TABLE contact ADD COLUMN has_ticket {int} NOT NULL DEFAULT 0;  -- without one they are everybody's
ALTER TABLE contact ADD COLUMN worded {int} NOT NULL DEFAULT 0;      -- their words stand in contact_word
UPDATE contact SET has_ticket = 1 WHERE id IN (SELECT contact_id FROM ticket);
UPDATE contact SET seen_at = COALESCE(
  (SELECT MAX(ticket.last_message_at) FROM ticket WHERE ticket.contact_id = contact.id), created_at);
CREATE INDEX contact_owner ON contact (owner_id) WHERE owner_id IS NOT NULL;
-- Whoever has no date comes last.
CREATE INDEX contact_next ON contact (COALESCE(next_contact_at, 9007199254740991), id);
CREATE INDEX contact_seen ON contact (seen_at, id);
CREATE INDEX contact_alone ON contact (id) WHERE has_ticket = 0;
CREATE INDEX contact_unworded ON contact (id) WHERE worded = 0;

-- What a contact is found by: folded words of name, title, company, contact points and fields of one's own.
CREATE TABLE contact_word (
  word {text} NOT NULL,
  contact_id {int} NOT NULL REFERENCES contact (id),
  PRIMARY KEY (word, contact_id)
){strict};
CREATE INDEX contact_word_contact ON contact_word (contact_id, word);
-- Contacts from before this table get their words bit by bit.
INSERT INTO job (kind, lane, payload, state, run_at, first_run_at, attempts, created_at)
SELECT 'contact_words', 3, '{}', 'ready', 0, 0, 0, 0 WHERE EXISTS (SELECT 1 FROM contact);

CREATE TABLE contact_note (
  id {id},
  contact_id {int} NOT NULL REFERENCES contact (id),
  agent_id {int} NOT NULL REFERENCES agent (id),
  text {text} NOT NULL,
  created_at {int} NOT NULL,
  changed_at {int}
){strict};
CREATE INDEX contact_note_contact ON contact_note (contact_id, id);

-- Fields of one's own. What is removed keeps its values until a job has cleared them away, its key is free at once.
CREATE TABLE own_field (
  id {id},
  about {text} NOT NULL CHECK (about IN ('contact')),
  key {text},
  label {text} NOT NULL,
  type {text} NOT NULL CHECK (type IN ('text', 'number', 'date', 'choice', 'bool', 'url')),
  choices {text} NOT NULL DEFAULT '[]',  -- JSON list
  required {int} NOT NULL DEFAULT 0,
  created_at {int} NOT NULL,
  removed_at {int},
  UNIQUE (about, key)
){strict};

CREATE TABLE contact_field (
  contact_id {int} NOT NULL REFERENCES contact (id),
  field_id {int} NOT NULL REFERENCES own_field (id),
  value {text} NOT NULL,                 -- JSON
  folded {text} NOT NULL,                -- what it is compared by
  PRIMARY KEY (contact_id, field_id)
){strict};
CREATE INDEX contact_field_value ON contact_field (field_id, folded, contact_id);
