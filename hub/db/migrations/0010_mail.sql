-- Letters: what they call one another, who takes part in a ticket besides its contact, how agents sign.

-- By which names others refer to a message: its own (`own` = 1), and those it hangs on, whether that has come or not.
CREATE TABLE message_name (
  inbox_id {int} NOT NULL REFERENCES inbox (id),
  name {text} NOT NULL,
  message_id {int} NOT NULL REFERENCES message (id),
  own {int} NOT NULL,
  PRIMARY KEY (inbox_id, name, message_id)
){strict};
CREATE INDEX message_name_message ON message_name (message_id);

-- An address that letters of a ticket went to or came from. It proves nothing about whoever has it.
CREATE TABLE participant (
  ticket_id {int} NOT NULL REFERENCES ticket (id),
  kind {text} NOT NULL,
  value {text} NOT NULL,                 -- normalised
  shown {text} NOT NULL,
  name {text} NOT NULL DEFAULT '',
  how {text} NOT NULL CHECK (how IN ('wrote', 'copied', 'forwarded')),
  since {int} NOT NULL,
  PRIMARY KEY (ticket_id, kind, value)
){strict};

-- To whom the desk has acknowledged a ticket by itself, and when last.
CREATE TABLE acknowledged (
  inbox_id {int} NOT NULL REFERENCES inbox (id),
  contact_point_id {int} NOT NULL REFERENCES contact_point (id),
  at {int} NOT NULL,
  PRIMARY KEY (inbox_id, contact_point_id)
){strict};
CREATE INDEX acknowledged_at ON acknowledged (inbox_id, at);

ALTER TABLE agent ADD COLUMN signature {text};
