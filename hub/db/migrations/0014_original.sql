-- The raw bytes that a letter came in, as long as they are kept: an agent may have them as they are.
ALTER TABLE message ADD COLUMN inbound_id {int};
