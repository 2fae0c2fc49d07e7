"""Compile an OpenAPI contract and a handlers package into an ASGI application on Connexion."""
