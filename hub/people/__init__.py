"""Contacts, their contact points, consents, companies."""
