"""Decoders and validators compiled from the contract: parameters, forms, bodies, responses."""
