"""How each of them does the work, one file a library; who they are and what they promise is said in `tests.bench.peers.field`."""
