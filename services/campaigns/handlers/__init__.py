"""What the service does: keep profiles, answer for segments, run campaigns."""
