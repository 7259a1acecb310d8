-- How people sign in: where each session is, and the second factor.

ALTER TABLE session ADD COLUMN browser {text};   -- what it called itself
ALTER TABLE session ADD COLUMN network {text};   -- whom its address belonged to when it began: a /24 or a /56

CREATE TABLE two_factor (
  agent_id {int} PRIMARY KEY REFERENCES agent (id),
  secret {text} NOT NULL,                -- sealed
  last_step {int} NOT NULL,              -- the newest time step whose code was taken: none is taken twice
  created_at {int} NOT NULL,
  confirmed_at {int}                     -- not set: begun, and counts for nothing yet
){strict};

CREATE TABLE recovery_code (
  id {id},
  agent_id {int} NOT NULL REFERENCES agent (id),
  code_hash {blob} NOT NULL,
  created_at {int} NOT NULL,
  used_at {int},
  UNIQUE (agent_id, code_hash)
){strict};
