-- A tag that was merged is shown as the one that it became; one that was deleted is shown nowhere. Both are one change of
-- one row however many bear the tag, and can be taken back; hub.desk.tag_set folds them together for good a month later.
ALTER TABLE tag ADD COLUMN shown_as {int} REFERENCES tag (id);
ALTER TABLE tag ADD COLUMN merged_into {int} REFERENCES tag (id);
ALTER TABLE tag ADD COLUMN gone_at {int};
CREATE INDEX tag_shown_as ON tag (shown_as) WHERE shown_as IS NOT NULL;
CREATE INDEX tag_merged_into ON tag (merged_into) WHERE merged_into IS NOT NULL;
CREATE INDEX tag_gone ON tag (gone_at) WHERE gone_at IS NOT NULL;

-- A team that is being dissolved: nobody is in it and nothing new comes to it, while a job takes its tickets elsewhere.
ALTER TABLE team ADD COLUMN gone_at {int};
ALTER TABLE team ADD COLUMN tickets_to {int} REFERENCES team (id);

-- How many rows of a merge or a split are still to be moved; NULL: all are where they belong.
ALTER TABLE ticket_merge ADD COLUMN moving {int};
CREATE INDEX ticket_merge_moving ON ticket_merge (ticket_id, other_id) WHERE moving IS NOT NULL;
