"""Tickets, messages, notes, deliveries, tags, inboxes, assignment and routing."""
