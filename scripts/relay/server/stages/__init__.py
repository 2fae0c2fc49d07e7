"""The stages of a request: subclasses of Connexion's middlewares, compiled for each operation."""
