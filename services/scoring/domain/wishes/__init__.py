"""Wishes: what a customer is likely to want next, and how they like to be met.

`habits` and `customer` hold a customer's state, `evidence` the base's; `shelf` and `offers` turn both into next best offers,
`reasons` says why, `learning` chooses the weights, `preferences` reads categories, channel and hour.
"""
