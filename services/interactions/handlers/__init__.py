"""What the service does, a module a concern: take events in, resolve customers, record, look after dead letters."""
