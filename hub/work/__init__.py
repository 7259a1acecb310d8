"""What runs in the background: what comes in, what goes out, jobs, timers, connectors."""
