"""The rules of segments, campaigns and their effect: pure and synchronous."""
