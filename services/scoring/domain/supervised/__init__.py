"""The supervised churn model: what customers do, and who left after doing it.

`features` encodes, `trees` and `logistic` learn, `recalibrating` mends probabilities, `classifier` chooses between them by
cross-validation inside what it may learn from, `causes` tells choice from fate, `leaks` finds features too good to be true.
"""
