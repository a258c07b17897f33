"""A floor for latency: how soon the barest line of hops that has this design delivers, at several rates."""
