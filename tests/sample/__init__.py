"""The sample data: the script, how it is played, how it goes."""
