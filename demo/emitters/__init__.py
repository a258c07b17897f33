"""The channel systems of a grocer, played from history: what they say, in what order, over HTTP and Kafka.

Nothing of the platform is imported here: these systems know Rapport by its documentation only.
"""
