"""Contract → running ASGI application, for any OpenAPI 3.0 contract and any handlers package.

Nothing here knows what the operations are about: `contract.py` reads the contract, `binding.py`
finds the functions, `app.py` compiles both into one application on Connexion.
"""
