"""Compiled from the contract: parameters, forms, bodies, responses."""
