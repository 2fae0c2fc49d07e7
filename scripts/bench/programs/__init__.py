"""What is measured beside Relay: each program a peer, run by itself."""
