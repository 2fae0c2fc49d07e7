"""`relay import`: import operations from documentation pages into the contract, and record their source."""
