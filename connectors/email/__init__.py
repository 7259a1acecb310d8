"""E-mail: what comes into a mailbox by IMAP, and what leaves it by SMTP submission. README.md is its manual."""
