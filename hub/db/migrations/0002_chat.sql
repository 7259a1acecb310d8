-- Visitors: browsers that talk through a live channel. What one of them wrote is opened by its token and by nothing else.

CREATE TABLE visitor (
  id {id},
  inbox_id {int} NOT NULL REFERENCES inbox (id),
  site {text} NOT NULL,                  -- the origin of the page that the token is kept on
  token_hash {blob} NOT NULL UNIQUE,
  contact_id {int} REFERENCES contact (id),
  ticket_id {int} REFERENCES ticket (id),  -- what is going on; the others are in visitor_ticket
  subject {text},                        -- who the site says they are (`sub` of the signed identity)
  verified_at {int},
  verified_until {int},                  -- how long that word is fresh
  typed {text},                          -- JSON: what they typed about themselves
  consented_at {int},
  read_to {int} NOT NULL DEFAULT 0,      -- the newest message of ours that they read
  language {text},
  page {text}, title {text}, referrer {text},
  created_at {int} NOT NULL,
  used_at {int} NOT NULL,
  ended_at {int}                         -- the token opens nothing any longer
){strict};
CREATE INDEX visitor_contact ON visitor (contact_id, id) WHERE contact_id IS NOT NULL;
CREATE INDEX visitor_used ON visitor (used_at, id);

-- Which browser a ticket belongs to: one, whoever else the contact is.
CREATE TABLE visitor_ticket (
  ticket_id {int} PRIMARY KEY REFERENCES ticket (id),
  visitor_id {int} NOT NULL REFERENCES visitor (id)
){strict};
CREATE INDEX visitor_ticket_visitor ON visitor_ticket (visitor_id, ticket_id);

CREATE TABLE visit (
  id {id},
  visitor_id {int} NOT NULL REFERENCES visitor (id),
  page {text} NOT NULL,
  title {text},
  at {int} NOT NULL
){strict};
CREATE INDEX visit_visitor ON visit (visitor_id, id);

-- From which sites the script of an inbox was loaded lately: how its page tells that it works, or what is wrong.
CREATE TABLE site_seen (
  inbox_id {int} NOT NULL REFERENCES inbox (id),
  site {text} NOT NULL,
  allowed {int} NOT NULL,
  seen_at {int} NOT NULL,
  PRIMARY KEY (inbox_id, site)
){strict};
