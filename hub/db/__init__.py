"""The write path and the two databases under it. Knows no domain: reactions are handed in by `app`."""
