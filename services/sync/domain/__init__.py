"""The rules of sync: folding views, what a channel may see, when and how it is delivered. Pure and synchronous."""
