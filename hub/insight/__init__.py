"""What is read across the rooms: the timeline of a person, the live board, reports."""
