"""MongoDB out: the history and the dead letters. The only place in interactions that knows the driver."""
