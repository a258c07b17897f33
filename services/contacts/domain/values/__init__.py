"""Values of contact data: what was typed, what we understood of it, and how far that can be trusted. Pure.

One file a kind of value. Nothing here asks the network, and nothing that can be typed raises.
"""
