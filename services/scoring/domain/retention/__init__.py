"""What to do to keep a customer, if anything: actions by their expected profit, and the evidence that they persuade."""
