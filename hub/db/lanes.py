"""Which waiting job goes first: what customers said, then what we say, then other systems, then our own tidying."""

INBOUND = 0
OUTBOUND = 1
WEBHOOKS = 2
HOUSEKEEPING = 3
