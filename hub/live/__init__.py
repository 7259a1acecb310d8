"""Who is connected, and the stream of committed events."""
