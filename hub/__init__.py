"""Parley's desk: every channel in, one record, every channel out. Knows no channel by name."""

__version__ = "0.1.0"
