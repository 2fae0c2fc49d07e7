"""An application that is made by a function, with Flask, which the functions of the contract do not use."""

import connexion


def hello():
    """Return a text alone."""
    return "hello"


def create_app():
    """Make the application of Connexion."""
    app = connexion.FlaskApp(__name__, specification_dir="spec")
    app.add_api("openapi.yaml")
    return app
