"""Secrets that others may read, write or guess: `scripts/relay/project/exposure.py`."""

import os
import secrets
import stat
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, SecretStr

from handlers._commands.load import command_settings
from relay.contract.diagnostics import SetupError
from relay.project import exposure
from relay.project.exposure import exposures, load_trusted, secret_exposures, weakness, writable_by_others
from relay.project.project import Project
from relay.project.settings import Settings, setting_origin
from support.hosting import SECRET
from support.keyrings import OLD
from support.running import as_project, relay

PRODUCTION = {"RELAY_ENVIRONMENT": "production", "RELAY_JWT_ISSUER": "me", "RELAY_JWT_AUDIENCE": "you"}


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "secret"
    path.write_text(SECRET, "utf-8")
    return path


@pytest.fixture
def owned(monkeypatch):
    """Let every file have an owner, a group and a kind of file system, which a test cannot give it."""

    def owned(uid, gid, *, is_mounted=False):
        real = Path.stat

        def status(path, **options):
            mode, inode, device, *rest = real(path, **options)
            if path == Path("/"):
                device = -1 if is_mounted else device
            return os.stat_result([mode, inode, device, rest[0], uid, gid, *rest[3:]])

        monkeypatch.setattr(Path, "stat", status)
        flags = os.ST_RDONLY if is_mounted else 0
        monkeypatch.setattr(exposure.os, "statvfs", lambda _: os.statvfs_result([0] * 8 + [flags, 255]))
        monkeypatch.setattr(exposure.os, "geteuid", lambda: 10001)
        monkeypatch.setattr(exposure.os, "getegid", lambda: 10001)
        monkeypatch.setattr(exposure.os, "getgroups", lambda: [10001])

    return owned


def test_a_file_that_group_or_others_may_read_or_change_is_exposed(file):
    """Of this user, by every mode."""
    for mode in range(0o400, 0o1000):
        file.chmod(mode)
        assert len(list(secret_exposures(file))) == bool(mode & 0o044) + bool(mode & 0o022)
        assert (writable_by_others(file) is not None) == bool(mode & 0o022)


@pytest.mark.parametrize(
    ("owner", "mode", "is_mounted", "is_exposed"),
    [
        ((0, 10001), 0o440, False, False),  # compose.yaml: the file's group is the service's
        ((1000, 10001), 0o440, False, False),
        ((0, 10001), 0o640, True, False),  # Kubernetes with fsGroup
        ((0, 0), 0o444, True, False),  # Docker's and Kubernetes' default, for the container alone
        ((0, 0), 0o644, True, False),
        ((1000, 1000), 0o444, True, True),
        ((0, 0), 0o444, False, True),  # a file of a shared machine
        ((0, 10001), 0o444, False, True),
        ((10001, 10001), 0o440, False, True),
        ((10001, 10001), 0o400, False, False),
        ((0, 0), 0o440, False, True),
        ((0, 0), 0o666, True, False),
        ((10001, 10001), 0o622, False, True),
        ((0, 10001), 0o460, False, True),
        ((1234, 10001), 0o660, False, True),
        ((1234, 1234), 0o600, False, True),
    ],
)
def test_a_mounted_secret_is_what_its_orchestrator_made_it(file, owned, owner, mode, is_mounted, is_exposed):
    """Its mode says nothing where the container has one user and the mount is read-only."""
    file.chmod(mode)
    owned(*owner, is_mounted=is_mounted)
    assert bool(list(secret_exposures(file))) == is_exposed


def test_root_accepts_no_secret_of_another_user(file, owned, monkeypatch):
    """Root reads it by no group, and its owner may change it."""
    file.chmod(0o600)
    owned(1234, 0)
    monkeypatch.setattr(exposure.os, "geteuid", lambda: 0)
    monkeypatch.setattr(exposure.os, "getegid", lambda: 0)
    assert list(secret_exposures(file)) == ["belongs to another user (uid 1234), who may change it; copy it"]


@pytest.mark.parametrize(("uid", "is_trusted"), [(0, True), (10001, True), (1000, False)])
def test_only_this_user_and_root_are_trusted(file, owned, uid, is_trusted):
    """An owner can change the mode of a file."""
    file.chmod(0o600)
    owned(uid, 0)
    assert (writable_by_others(file) is None) == is_trusted


@pytest.mark.parametrize(
    ("secret", "reason"),
    [
        ("a" * 40, "it has only 1 different byte"),
        ("ab" * 20, "it has only 2 different bytes"),
        ("0123456" * 6, "it has only 7 different bytes"),
        ("0123456789abcdef" * 2, "it repeats one text"),
        ("correct-horse-battery " * 3 + "corr", "it repeats one text"),
        ("a-string-secret-at-least-256-bits-long", "it is a public example"),
        ("please-change-me-before-you-go-live", "it is a public example"),
        ("a" * 31, None),
    ],
)
def test_a_secret_that_can_be_guessed_is_weak(secret, reason):
    """The length alone says little."""
    assert weakness(secret) == reason


@given(st.binary(min_size=1, max_size=16), st.integers(2, 40))
def test_whatever_is_repeated_is_weak(block, times):
    """From HS256's length on."""
    text = block.hex() * times
    assert (weakness(text) is None) == (len(text) < 32)


def test_a_random_secret_is_not_weak():
    """In each of the forms that are recommended."""
    for make in (secrets.token_urlsafe, secrets.token_hex, lambda size: secrets.token_bytes(size).hex("-")):
        assert {weakness(make(size)) for size in (32, 48) for _ in range(200)} == {None}


class TestProject:
    """The files of a project."""

    @pytest.fixture(autouse=True)
    def _here(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        (tmp_path / "pyproject.toml").write_text("[tool.relay]\n", "utf-8")

    def test_names_every_file_that_has_a_secret(self, tmp_path, monkeypatch):
        """Its mode and the remedy; not the files of other programs."""
        folder = tmp_path / "secrets"
        (folder / "a folder").mkdir(parents=True)
        for path, text in {
            ".env": f"RELAY_JWT_SECRET={SECRET}\n",
            "secrets/RELAY_JWT_SECRET": SECRET,
            "secrets/other": "x",
        }.items():
            (tmp_path / path).write_text(text, "utf-8")
            (tmp_path / path).chmod(0o644)
        monkeypatch.setenv("RELAY_SECRETS_DIR", str(folder))

        found = exposures(Project(tmp_path), Settings.load())

        assert [str(one) for one in found] == [
            f"{name}: group or others may read this secret (mode 644); chmod 600 {name}"
            for name in (".env", "secrets/RELAY_JWT_SECRET")
        ]
        assert {one.severity for one in found} == {"warning"}

    def test_a_service_may_have_a_collection_of_secrets(self, tmp_path):
        """Only a single secret may be the name of a file."""

        class Shop(Settings):
            other_keys: dict[str, SecretStr] = Field(default={})
            more_keys: tuple[SecretStr, ...] = ()

        settings = Shop(other_keys={"a": SecretStr("x")}, more_keys=(SecretStr("y"),))

        assert exposures(Project(tmp_path), settings) == []

    def test_an_env_file_without_secrets_may_be_read(self, tmp_path):
        (tmp_path / ".env").write_text("RELAY_PORT=1\n", "utf-8")
        (tmp_path / ".env").chmod(0o644)
        assert exposures(Project(tmp_path), Settings.load()) == []

    @pytest.mark.parametrize("load", [partial(load_trusted, Settings), command_settings])
    def test_what_others_may_have_written_moves_no_secret(self, tmp_path, load):
        """The second one is what our commands load."""
        (tmp_path / ".env").write_text("RELAY_PORT=1\n", "utf-8")
        (tmp_path / ".env").chmod(0o666)

        with pytest.raises(
            SetupError, match=r"^\.env: group or others may change it \(mode 666\); chmod 600 \.env$"
        ):
            load()

    def test_says_where_a_setting_comes_from(self, tmp_path, monkeypatch):
        """Source by source, as they are read."""
        monkeypatch.setenv("RELAY_SECRETS_DIR", str(tmp_path))
        found = [setting_origin(Settings, "log_level")]
        (tmp_path / "pyproject.toml").write_text('[tool.relay]\nlog-level = "debug"\n', "utf-8")
        found.append(setting_origin(Settings, "log_level"))
        (tmp_path / "relay_log_level").write_text("info", "utf-8")
        found.append(setting_origin(Settings, "log_level"))
        (tmp_path / ".env").write_text("relay_log_level=error\n", "utf-8")
        found.append(setting_origin(Settings, "log_level"))
        monkeypatch.setenv("RELAY_LOG_LEVEL", "warning")
        found.append(setting_origin(Settings, "log_level"))

        assert found == [
            "the default",
            "pyproject.toml",
            f"{tmp_path}/relay_log_level",
            f"{tmp_path}/.env",
            "the environment",
        ]


class TestCommand:
    """Of our service, as processes."""

    @pytest.mark.slow
    @pytest.mark.parametrize("command", ["load records.json", "keys status", "keys encrypt", "keys rotate"])
    def test_a_command_that_moves_secrets_says_where_to(self, tmp_path, command):
        """The `.env` of a clone could name another store and another key; a password is not printed."""
        (tmp_path / "records.json").write_text("{}", "utf-8")
        (tmp_path / ".env").write_text(
            f"RELAY_STORE=mongodb://u:pw@127.0.0.1:9/x?timeoutMS=100\nRELAY_KEYRING={OLD}\n", "utf-8"
        )
        (tmp_path / ".env").chmod(0o600)

        result = relay(tmp_path, *command.split())

        source = f"(from {tmp_path}/.env)"
        assert (
            result.stderr.splitlines()[0]
            == f"settings: store mongodb://127.0.0.1:9/x {source}, keyring in the setting {source}"
        )

    @pytest.mark.slow
    @pytest.mark.parametrize("command", ["check", "serve"])
    def test_production_has_no_secret_of_others(self, tmp_path, command):
        """All of it is reported at once."""
        as_project(tmp_path)
        for name in (".env", "keyring"):
            (tmp_path / name).write_text("RELAY_KEYRING=keyring\n" if name == ".env" else OLD, "utf-8")
            (tmp_path / name).chmod(0o666)

        result = relay(tmp_path, command, **PRODUCTION, RELAY_JWT_SECRET="a" * 40)

        lines = [line for line in (result.stdout + result.stderr).splitlines() if line.startswith("error: ")]
        assert lines == [
            "error: .env: group or others may change it (mode 666); chmod 600 .env",
            "error: .env: group or others may read this secret (mode 666); chmod 600 .env",
            "error: keyring: group or others may change it (mode 666); chmod 600 keyring",
            "error: keyring: group or others may read this secret (mode 666); chmod 600 keyring",
            "error: RELAY_JWT_SECRET: it has only 1 different byte, so tokens can be forged; make one with `openssl rand -base64 48`",
        ]
        assert result.returncode in (1, 2)

    @pytest.mark.slow
    def test_development_is_warned(self, tmp_path):
        """It is served all the same; --strict is for pipelines."""
        as_project(tmp_path)
        (tmp_path / "keyring").write_text(OLD, "utf-8")
        (tmp_path / "keyring").chmod(0o644)
        given = {"RELAY_JWT_SECRET": "a" * 40, "RELAY_KEYRING": "keyring", "RELAY_PORT": "0"}

        result, strict = (relay(tmp_path, "check", *more, **given) for more in ((), ("--strict",)))

        assert (result.returncode, strict.returncode) == (0, 1)
        assert result.stdout.count("warning: ") == 2
        assert stat.S_IMODE((tmp_path / "keyring").stat().st_mode) == 0o644

    @pytest.mark.slow
    @pytest.mark.parametrize(
        ("store", "keyring", "shown"),
        [
            ("mongodb://u:canary@db,db2:27018/x?a=b", OLD, "store mongodb://db,db2:27018/x (from the environment), keyring in the setting"),
            ("mongodb+srv://u:can@ary/@db/x", "canary", "store mongodb+srv://db/x (from the environment), keyring in the setting"),
            ("mongodb://u:can?ary@db/x", "canary" * 900, "store in the setting (from the environment), keyring in the setting"),
            ("mongodb://db/x?secret=canary@canary", None, "store in the setting (from the environment), keyring none"),
            ("postgres://u:canary@db/x", "keys.txt", "store in the setting (from the environment), keyring file keys.txt"),
            ("canary", "keys.txt", "store in the setting (from the environment), keyring file keys.txt"),
            ("sqlite:///a.db", "~/no/canary", "store sqlite:///a.db (from the environment), keyring in the setting"),
        ],
    )  # fmt: skip
    def test_no_credential_is_shown(self, tmp_path, monkeypatch, capsys, store, keyring, shown):
        """Nor a secret that was put in the wrong place."""
        monkeypatch.chdir(as_project(tmp_path))
        (tmp_path / "keys.txt").write_text(OLD, "utf-8")
        (tmp_path / "keys.txt").chmod(0o600)
        monkeypatch.setenv("RELAY_STORE", store)
        if keyring:
            monkeypatch.setenv("RELAY_KEYRING", keyring)

        command_settings()

        printed = capsys.readouterr().err
        assert printed.startswith(f"settings: {shown} (from ")
        assert "canary" not in printed
