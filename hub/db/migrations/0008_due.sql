-- The list by the reply clock, in order.
CREATE INDEX ticket_due_order ON ticket ((COALESCE(due_at, 9007199254740991)), id) WHERE status <> 'resolved';
