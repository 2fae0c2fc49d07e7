"""The programs of the peers; each runs in its own process."""
