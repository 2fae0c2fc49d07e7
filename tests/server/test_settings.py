"""Settings: `scripts/relay/project/settings.py`, and those of the service in `handlers/_settings.py`."""

import re
import sys
from pathlib import Path

import pytest

from handlers._settings import Settings, store_url
from relay.contract.diagnostics import SetupError
from relay.server.application import service_settings
from support.hosting import write_package

pytestmark = pytest.mark.usefixtures("without_settings")


def test_reads_options_then_environment_then_env_file_then_secret_files_then_project(tmp_path, monkeypatch):
    """First found wins, in that order."""
    names = ["jwt_issuer", "jwt_audience", "log_level", "handlers", "jwt_type"]
    lines = [f"{name.replace('_', '-')} = 'warning'\n" for name in names]
    (tmp_path / "pyproject.toml").write_text("[tool.relay]\n" + "".join(lines), "utf-8")
    (tmp_path / "secrets").mkdir()
    for name in names[:4]:
        (tmp_path / "secrets" / f"relay_{name}").write_text("error", "utf-8")
    (tmp_path / ".env").write_text("".join(f"RELAY_{name.upper()}=info\n" for name in names[:3]), "utf-8")
    for name in names[:2]:
        monkeypatch.setenv(f"RELAY_{name.upper()}", "warning")
    monkeypatch.setenv("RELAY_SECRETS_DIR", str(tmp_path / "secrets"))

    settings = Settings.load(jwt_issuer="debug", jwt_audience=None)

    assert [getattr(settings, name) for name in names] == ["debug", "warning", "info", "error", "warning"]


NETWORKS = "must be addresses and networks, such as 10.0.0.0/8, separated by commas"


def refused(**given):
    with pytest.raises(SetupError) as raised:
        Settings.load(**given)
    assert "sk_canary" not in str(raised.value)
    return str(raised.value)


def test_reports_every_setting_that_is_wrong_by_its_variable(monkeypatch):
    """The value is not repeated: it may be a secret in the wrong place."""
    monkeypatch.setenv("RELAY_PORT", "sk_canary")
    monkeypatch.setenv("RELAY_JWT_LEEWAY", "31")
    assert re.findall("RELAY_[A-Z_]+", refused()) == ["RELAY_PORT", "RELAY_JWT_LEEWAY"]


@pytest.mark.parametrize(
    ("name", "wrong", "expected"),
    [
        ("port", "65536", "input should be less than or equal to 65535"),
        ("port", "2212.5", "input should be a valid integer, unable to parse string as an integer"),
        ("port", "9" * 5000, "unable to parse input string as an integer, exceeded maximum size"),
        ("max_in_flight", "0", "input should be greater than or equal to 1"),
        ("jwt_leeway", "nan", "input should be less than or equal to 30"),
        ("jwt_leeway", "-0.1", "input should be greater than or equal to 0"),
        ("jwt_cache_seconds", "inf", "input should be less than or equal to 300"),
        ("metrics", "maybe", "input should be a valid boolean, unable to interpret input"),
        ("log_level", "loud", "input should be 'debug', 'info', 'warning' or 'error'"),
        ("environment", "staging", "input should be 'development' or 'production'"),
        *(("trusted_proxies", one, NETWORKS) for one in ("proxy.example", "10.0.0.1/8", "10.0.0.0/33", "*")),
    ],
)
def test_says_what_a_setting_has_to_be(monkeypatch, name, wrong, expected):
    monkeypatch.setenv(f"RELAY_{name.upper()}", wrong)
    assert refused() == f"RELAY_{name.upper()}: {expected}"


@pytest.mark.parametrize(
    ("name", "spelling", "value"),
    [
        ("port", "0", 0),
        ("jwt_leeway", "1.5", 1.5),
        ("jwt_max_life", "3600", 3600),
        ("metrics", "Off", False),
        ("tracing", "TRUE", True),
        ("docs", "0", False),
        ("log_level", "DEBUG", "debug"),
        ("environment", "Production", "production"),
        ("spec", "a/b.yaml", Path("a/b.yaml")),
        ("missing", "fail,A b=mock", ("fail", "A b=mock")),
        ("trusted_proxies", "10.0.0.1, 192.168.0.0/16,::1,", ("10.0.0.1", "192.168.0.0/16", "::1")),
    ],
)
def test_reads_what_a_variable_says(monkeypatch, name, spelling, value):
    monkeypatch.setenv(f"RELAY_{name.upper()}", spelling)
    settings = Settings.load()
    assert getattr(settings, name) == value
    assert settings.model_fields_set == {name}


def test_takes_an_empty_variable_for_none(tmp_path, monkeypatch):
    """`RELAY_STORE=` in a compose file sets nothing; so does an empty line of `.env`."""
    (tmp_path / ".env").write_text("RELAY_HOST=\nRELAY_PORT=80\n", "utf-8")
    monkeypatch.setenv("RELAY_PORT", "")
    settings = Settings.load()
    assert (settings.host, settings.port, settings.model_fields_set) == ("127.0.0.1", 80, {"port"})


def test_takes_an_empty_secret_file_for_an_empty_secret(tmp_path, monkeypatch):
    """A mount that failed must not look like an unset secret; no key is as short as that."""
    (tmp_path / "relay_jwt_secret").touch()
    monkeypatch.setenv("RELAY_SECRETS_DIR", str(tmp_path))
    secret = Settings.load().jwt_secret
    assert secret is not None
    assert not secret.get_secret_value()


def test_reads_a_name_in_either_case(tmp_path, monkeypatch):
    """A secret may be mounted by the name of its variable; other files of the folder are not looked at."""
    (tmp_path / "RELAY_JWT_ISSUER").write_text("https://id.example\n", "utf-8")
    (tmp_path / "..data").mkdir()
    (tmp_path / "relay_tls.der").write_bytes(b"\xff")
    (tmp_path / "relay_backups").mkdir()  # as Kubernetes has folders of its own there
    monkeypatch.setenv("RELAY_SECRETS_DIR", str(tmp_path))
    monkeypatch.setenv("relay_jwt_audience", "relay")

    settings = Settings.load()

    assert (settings.jwt_issuer, settings.jwt_audience) == ("https://id.example", "relay")


def test_knows_no_setting_that_does_not_exist():
    """A misspelled one would be a default."""
    for make in (Settings, Settings.load):
        with pytest.raises(TypeError, match="Settings has no setting prot"):
            make(prot=80)


UNREADABLE = "secrets/relay_jwt_secret: cannot be read as a secret: "


@pytest.mark.parametrize(
    ("file", "content", "expected"),
    [
        # It would be committed.
        ("pyproject.toml", b"[tool.relay]\njwt-secret = 'sk_canary'\n", "pyproject.toml: tool.relay.jwt_secret is a secret; set RELAY_JWT_SECRET or a secret file instead"),
        # A mount that failed must not look like an unset secret.
        ("elsewhere", b"", "RELAY_SECRETS_DIR: there is no folder secrets"),
        ("secrets/relay_jwt_secret", b"\xff\xfe", f"{UNREADABLE}it must be text in UTF-8"),
        ("secrets/relay_jwt_secret", None, f"{UNREADABLE}Is a directory; it must be a file"),
        (".env", b"RELAY_HOST=\xff\n", ".env: cannot be read as text in UTF-8"),
    ],
)  # fmt: skip
def test_says_which_file_cannot_be_used(tmp_path, monkeypatch, file, content, expected):
    (tmp_path / file).parent.mkdir(exist_ok=True)
    if content is None:
        (tmp_path / file).mkdir()
    else:
        (tmp_path / file).write_bytes(content)
    if "secrets" in expected:
        monkeypatch.setenv("RELAY_SECRETS_DIR", "secrets")
    assert refused().startswith(expected)


@pytest.mark.parametrize("found", ["Settings = 3", "class Settings: pass"])
def test_says_when_a_package_has_settings_of_another_kind(tmp_path, monkeypatch, found):
    """Such as those of a library of models."""
    name = write_package(tmp_path, init=found)
    (tmp_path / "pyproject.toml").write_text("[tool.relay]\n", "utf-8")
    monkeypatch.setattr(sys, "path", [*sys.path])  # the project's folder becomes importable
    with pytest.raises(SetupError, match=rf"^{name}\.Settings: it must be a subclass of relay\.Settings$"):
        service_settings({"handlers": name})


def test_never_listens_everywhere_by_accident():
    """`--host "$UNSET"` is an empty address, which the system takes for all addresses."""
    assert refused(host="").startswith("RELAY_HOST: ")


def test_keeps_its_data_in_the_platforms_folder(monkeypatch):
    """A newcomer sets nothing."""
    monkeypatch.setenv("XDG_DATA_HOME", "/data")
    assert store_url(Settings.load()) == "sqlite:////data/tether-relay/relay.db"
