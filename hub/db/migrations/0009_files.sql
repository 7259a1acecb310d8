-- Files. What they hold lies in a folder beside the record, named by its SHA-256; here stands what is known of it, and
-- who sent it where.

CREATE TABLE content (
  id {id},
  sha256 {text} NOT NULL UNIQUE,         -- in hex: where it lies
  size {int} NOT NULL,
  content_type {text} NOT NULL,          -- by its bytes, whatever anybody called it
  scan {text} NOT NULL CHECK (scan IN ('off', 'clean', 'failed')),
  preview {text} NOT NULL CHECK (preview IN ('none', 'wanted', 'there', 'failed')),
  width {int}, height {int},             -- of a picture, as it is looked at
  created_at {int} NOT NULL
){strict};

-- One file of one message or note, or one that somebody has uploaded and not sent yet.
CREATE TABLE file (
  id {id},
  token {text} NOT NULL UNIQUE,          -- 128 random bits: all that is known of it outside
  message_id {int} REFERENCES message (id),
  note_id {int} REFERENCES note (id),
  agent_id {int} REFERENCES agent (id),  -- who has uploaded it
  visitor_id {int},                      -- or this visitor, who may be gone since
  inbound_id {int},                      -- the raw request that it came with, as long as that is kept
  position {int} NOT NULL DEFAULT 0,
  state {text} NOT NULL CHECK (state IN ('uploading', 'fetching', 'there', 'failed', 'gone')),
  reason {text},                         -- why it failed or is gone
  content_id {int} REFERENCES content (id),
  name {text} NOT NULL,
  content_type {text} NOT NULL,          -- as was said; of what is there, as it is
  size {int},
  ref {text},                            -- by which its connector fetches it
  cid {text},                            -- by which the HTML of its message shows it
  voice {int} NOT NULL DEFAULT 0,
  seconds {int},
  caption {text} NOT NULL DEFAULT '',
  caption_folded {text} NOT NULL DEFAULT '',
  created_at {int} NOT NULL
){strict};
CREATE INDEX file_message ON file (message_id, position, id) WHERE message_id IS NOT NULL;
CREATE INDEX file_note ON file (note_id, position, id) WHERE note_id IS NOT NULL;
CREATE INDEX file_content ON file (content_id) WHERE content_id IS NOT NULL;
CREATE INDEX file_visitor ON file (visitor_id, created_at) WHERE visitor_id IS NOT NULL;
CREATE INDEX file_agent ON file (agent_id, id) WHERE agent_id IS NOT NULL;
CREATE INDEX file_loose ON file (created_at) WHERE message_id IS NULL AND note_id IS NULL;
CREATE INDEX file_kept ON file (created_at) WHERE content_id IS NOT NULL;

-- Files that were uploaded to what is being written: a JSON list of their tokens.
ALTER TABLE draft ADD COLUMN files {text} NOT NULL DEFAULT '[]';
