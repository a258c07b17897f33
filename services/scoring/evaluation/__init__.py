"""How good the scores would have been on a company's own past: from a file of purchases, without a running platform."""
