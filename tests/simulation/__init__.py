"""The core and sync's deliveries in a simulated world: one seed decides every delay and every fault."""
