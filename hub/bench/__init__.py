"""What `parley bench` runs, and what it shares with the fault tests. Nothing of the desk imports from here."""
