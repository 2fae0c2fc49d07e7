"""The stages of a request; `pipeline.py` has their order.

Each is a subclass of one of Connexion's middlewares, so that Connexion's positions refer to it. It is compiled for
each operation: a stage that has nothing to do for an operation is left out of its way.
"""
