"""Whom an action changes, and not who is at risk: learning from randomised trials, and measuring what was learnt."""
