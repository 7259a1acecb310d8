"""The website chat: a live channel; see README.md."""
