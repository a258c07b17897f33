"""What happened between customers and company: the gateway for channel systems, the history, orders, dead letters."""
