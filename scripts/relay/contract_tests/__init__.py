"""Whether a running service keeps its contract, and which parts of the contract nobody has seen happen."""
