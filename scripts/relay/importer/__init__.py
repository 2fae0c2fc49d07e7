"""`relay import`: documentation pages → operations of the contract, and where each came from."""
