"""What we say to customers: segments, campaigns with control groups, and what the campaigns really did."""
