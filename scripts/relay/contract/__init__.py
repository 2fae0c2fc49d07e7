"""Reads a contract: files, source locations, references, operations."""
