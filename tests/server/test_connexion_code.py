"""Warnings about code and contracts that rely on parts of Connexion that Relay does not use: `scripts/relay/server/connexion_code.py`."""

import sys

import pytest

from relay.contract.diagnostics import SetupError
from relay.server.connexion_code import connexion_notes
from support.hosting import contract
from support.naming import named_operation


@pytest.fixture
def notes(tmp_path, monkeypatch):
    """Return line and message of what is said of a module."""
    monkeypatch.chdir(tmp_path)

    def notes(source):
        (tmp_path / "app.py").write_text(source, "utf-8")
        return [(one.where.line, one.message) for one in connexion_notes(tmp_path)]

    return notes


@pytest.mark.parametrize(
    ("code", "begin"),
    [
        ("connexion.FlaskApp(__name__)", "FlaskApp is not used"),
        ("connexion.App(__name__)", "FlaskApp is not used"),
        ("app.add_api('a.yaml', resolver=RestyResolver('api'))", "RestyResolver: resolvers are not used"),
        ("app.add_api('a.yaml', resolver=MethodResolver('api'))", "MethodResolver: resolvers are not used"),
        ("app.add_api('a.yaml', validator_map={})", "validator_map=: "),
        ("app.add_api('a.yaml', base_path='/v1')", "base_path=: "),
        ("app.add_api('a.yaml', strict_validation=True)", "strict_validation=: it is not used: set RELAY_UNKNOWN_QUERY"),
        ("connexion.AsyncApp(__name__, lifespan=open_all)", "lifespan=: it is not run: export `collaborators`"),
        ("app.add_middleware(Compressed)", "add_middleware: it is not called: export `middleware`"),
        ("app.add_error_handler(404, gone)", "add_error_handler: it is not called: export `errors`"),
        ("app.add_api('a.yaml'); app.add_api('b.yaml')", "add_api: a process serves one contract"),
    ],
)  # fmt: skip
def test_names_what_has_no_effect_with_its_line(notes, code, begin):
    ((line, message),) = notes(f"import connexion\n\n{code}\n")
    assert line == 3
    assert message.startswith(begin)


@pytest.mark.parametrize(
    "source",
    [
        "import connexion\nconnexion.AsyncApp(__name__).add_api('a.yaml', strict_validation=False)\n",
        "import connexion\napp.add_api('a.yaml', validate_responses=True, pythonic_params=True)\n",
        "app.add_middleware(Compressed)\n",
        "import connexion\nthis is not Python\n",
        "",
    ],
)
def test_says_nothing_of_other_code(notes, source):
    assert notes(source) == []


def test_says_each_kind_once(notes):
    code = "from connexion import FlaskApp\nFlaskApp('a')\nFlaskApp('b')\n"
    assert [line for line, _ in notes(code)] == [2]


def test_a_service_warns_of_it_at_the_start(hosting_named):
    """A template's text in the title, too: it would be served as it is."""
    document = contract({"/things": {"get": named_operation("show")}})
    document["info"]["title"] = "{{ title }}"
    source = """
        import connexion

        def show():
            return 1

        app = connexion.AsyncApp(__name__, lifespan=show)
    """

    template, lifespan = hosting_named(document, source).warnings
    assert "is a Jinja2 template here, which Relay does not render" in template.message
    assert lifespan.where.line == 7


def test_says_where_flask_is_missing(hosting_named, monkeypatch):
    """The application object that needs it is not used; the line of Connexion that fails helps no further."""
    monkeypatch.setitem(sys.modules, "flask", None)
    source = """
        import flask

        def show():
            return 1
    """

    with pytest.raises(SetupError) as raised:
        hosting_named(contract({"/things": {"get": named_operation("show")}}), source)

    (problem,) = raised.value.problems
    assert problem.where.line == 2
    assert "Flask is not installed" in problem.message
