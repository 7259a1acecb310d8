"""The HTTP doors: every URL stands in routes.py."""
