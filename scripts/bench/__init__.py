"""Relay and stock Connexion side by side: the seed's operation, the same data, validation on."""
