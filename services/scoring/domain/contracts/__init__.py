"""Contractual churn: facts of contracts, what they say of a base, and the risks of ending one way or the other.

`facts` keeps, `spells` reads, `periods` counts time, `population` counts people, `hazards` estimates, `forecast` foretells.
"""
