"""Settings: `handlers/_host/settings.py`, and those of the service in `handlers/_app.py`."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from handlers._app import Settings, store_url
from handlers._host.problems import SetupError
from handlers._host.settings import load_settings


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    """An empty working directory, and no settings of the machine's own."""
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(f"RELAY_{name.upper()}", raising=False)


def test_reads_options_then_environment_then_env_file_then_secret_files(tmp_path, monkeypatch):
    """First found wins, in that order."""
    names = ["jwt_issuer", "jwt_audience", "log_level", "handlers"]
    (tmp_path / "secrets").mkdir()
    for name in names:
        (tmp_path / "secrets" / f"relay_{name}").write_text("error", "utf-8")
    (tmp_path / ".env").write_text("".join(f"RELAY_{name.upper()}=info\n" for name in names[:3]), "utf-8")
    for name in names[:2]:
        monkeypatch.setenv(f"RELAY_{name.upper()}", "warning")
    monkeypatch.setenv("RELAY_SECRETS_DIR", str(tmp_path / "secrets"))

    settings = load_settings(Settings, jwt_issuer="debug", jwt_audience=None)

    assert [getattr(settings, name) for name in names] == ["debug", "warning", "info", "error"]


def test_tells_every_setting_that_is_wrong_by_its_variable(monkeypatch):
    """What was given is not repeated: it may be a secret in the wrong place."""
    monkeypatch.setenv("RELAY_PORT", "sk_canary")
    monkeypatch.setenv("RELAY_JWT_LEEWAY", "31")

    with pytest.raises(SetupError) as raised:
        load_settings(Settings)

    assert [problem.where for problem in raised.value.problems] == ["RELAY_PORT", "RELAY_JWT_LEEWAY"]
    assert "sk_canary" not in str(raised.value)


def test_says_when_the_secrets_folder_is_missing(monkeypatch):
    """A mount that failed must not look like an unset secret."""
    monkeypatch.setenv("RELAY_SECRETS_DIR", "/nowhere")

    with pytest.raises(SetupError, match="RELAY_SECRETS_DIR: there is no folder /nowhere"):
        load_settings(Settings)


@pytest.mark.parametrize("content", [b"\xff\xfe", None])
def test_says_when_a_secret_file_cannot_be_read(tmp_path, monkeypatch, content):
    """Bytes that are no text, or a folder where a file should be."""
    secret = tmp_path / "secrets" / "relay_jwt_secret"
    secret.parent.mkdir()
    if content is None:
        secret.mkdir()
    else:
        secret.write_bytes(content)
    monkeypatch.setenv("RELAY_SECRETS_DIR", str(secret.parent))

    with pytest.raises(SetupError, match="RELAY_SECRETS_DIR: a file of it cannot be read as text"):
        load_settings(Settings)


def test_never_listens_everywhere_by_accident():
    """`--host "$UNSET"` is an empty address, which the system takes for all of them."""
    with pytest.raises(SetupError, match="RELAY_HOST"):
        load_settings(Settings, host="")


def test_never_shows_a_secret(monkeypatch):
    """Neither a key nor the password in the store's address."""
    monkeypatch.setenv("RELAY_JWT_SECRET", "sk_canary" * 4)
    monkeypatch.setenv("RELAY_JWT_JWKS", "https://me:sk_canary@id.example")
    monkeypatch.setenv("RELAY_STORE", "mongodb://app:sk_canary@db/relay")
    settings = load_settings(Settings)

    shown = f"{settings!r} {settings} {settings.model_dump()} {settings.model_dump_json()}"

    assert "sk_canary" not in shown
    assert "sk_canary" in store_url(settings)


def test_keeps_its_data_in_the_platforms_folder(monkeypatch):
    """A newcomer sets nothing."""
    monkeypatch.setenv("XDG_DATA_HOME", "/data")

    assert store_url(load_settings(Settings)) == "sqlite:////data/tether-relay/relay.db"


def test_the_readme_documents_every_setting():
    """One table, complete."""
    readme = Path(__file__).parents[1].joinpath("README.md").read_text("utf-8")
    documented = set(re.findall(r"`RELAY_([A-Z_]+)`", readme))

    assert documented >= {name.upper() for name in Settings.model_fields} | {"SECRETS_DIR"}
