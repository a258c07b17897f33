"""Scoring: what each customer is worth, and whether they are leaving."""
