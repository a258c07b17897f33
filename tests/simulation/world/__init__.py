"""What the simulated services live in: time, processes, a database, a broker, receivers. No invariant is judged here."""
