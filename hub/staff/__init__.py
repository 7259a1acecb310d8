"""Agents, teams, roles, sign-in, tokens, and the one rule of access."""
