"""Compile an OpenAPI contract and a handlers package into an ASGI application.

The package does not depend on a particular service: `relay.contract` reads the contract, `binding.py`
finds the handlers, `app.py` compiles both into one application on Connexion.
"""
