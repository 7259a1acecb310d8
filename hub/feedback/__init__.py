"""Praise, complaints, suggestions, ratings: records of their own."""
