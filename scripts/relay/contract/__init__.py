"""A contract, read: files, places, references, operations."""
