"""The independent judge: what the CSV files say, and every way in which the platform disagrees.

Only the standard library is used here, so no mistake of the platform or of the emitters can hide itself.
"""
