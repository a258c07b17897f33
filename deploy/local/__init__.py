"""The whole platform on one machine, without Docker and without root, and the `rapport` program."""
