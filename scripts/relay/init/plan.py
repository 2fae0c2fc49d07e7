"""A whole project, worked out before anything is written: what is missing in a folder, and what is left for a person."""

# One module: each note to a person depends on which files are planned.

import contextlib
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any

from relay.codegen.formatting import Ruff
from relay.codegen.package_files import Security, derive_envelope, package_files
from relay.codegen.package_state import State
from relay.codegen.plan import plan as plan_handlers
from relay.codegen.types_module import generate_types
from relay.contract.diagnostics import Diagnostic, SetupError, Severity, errors
from relay.contract.documents import display
from relay.contract.loading import load_contract
from relay.contract.model import Contract
from relay.lint import lint
from relay.project.files import check_writable, replace_files
from relay.project.package_source import Sources, read_sources
from relay.project.project import Project, read_pyproject, relay_table
from relay.project.settings import Settings

from .contract_source import ContractFiles, check_usable, from_text, read_source
from .requirement import DISTRIBUTION, Requirement
from .sample_tests import render, sample_tests

EXECUTABLE = frozenset(map(PurePosixPath, ("scripts/serve", "scripts/test", ".ci/venv")))

_TEMPLATES = (
    "scripts/serve scripts/test .ci/venv tox.ini README.md Dockerfile .dockerignore .gitignore .pre-commit-config.yaml"
).split()
"""Files of a project that are one template each, whose name has no dot at its begin."""


@dataclass(slots=True)
class Plan:
    """The files to write, the existing ones that differ from what would be written, and notes for a person."""

    folder: Path
    files: dict[PurePosixPath, bytes] = field(default_factory=dict)
    kept: list[PurePosixPath] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, wanted: Mapping[PurePosixPath, bytes]) -> None:
        """Plan the files that are missing; an existing file is never overwritten."""
        for name, content in wanted.items():
            path = self.folder / name
            if not path.exists():
                self.files[name] = content
            elif not _holds(path, content):
                self.kept.append(name)

    def check_inside(self) -> None:
        """Raise SetupError where a file to write would be outside the folder, by a link on its way."""
        paths = [self.folder / name for name in self.files]
        outside = [path for path in paths if not path.resolve().is_relative_to(self.folder)]
        if outside:
            message = f"leads out of {display(self.folder)} by a link; put a folder in its place"
            raise SetupError([Diagnostic(display(path), message) for path in outside])

    def write(self) -> None:
        """Write the files, scripts as executable; raise SetupError if that fails."""
        check_writable(self.folder)
        replace_files({self.folder / name: content for name, content in self.files.items()})
        for name in EXECUTABLE & self.files.keys():
            path = self.folder / name
            try:
                mode = path.stat().st_mode
                path.chmod(mode | (mode & 0o444) >> 2)
            except OSError as exc:
                message = f"cannot be made executable: {exc.strerror}"
                raise SetupError([Diagnostic(display(path), message)]) from exc


def _holds(path: Path, content: bytes) -> bool:
    """Return True for a file with this content; raise SetupError for one that cannot be read."""
    try:
        return path.is_file() and path.read_bytes() == content
    except OSError as exc:
        raise SetupError([Diagnostic(display(path), f"cannot be read: {exc.strerror}")]) from exc


def plan(folder: Path, source: str | None, requirement: Requirement, workflow: Callable[[str], str]) -> Plan:
    """Plan a project in `folder` from the contract that `source` names.

    Without `source` it is the contract that the folder has, else a small one to start from. `workflow`
    returns the content of the CI workflow for the path of a contract. Raises SetupError with everything that is wrong.
    """
    # One function: the order of its steps is that of the files and notes that a person reads.
    folder = folder.resolve()
    if folder.exists() and not folder.is_dir():
        raise SetupError([Diagnostic(display(folder), "is a file; name a folder, new or existing")])
    check_writable(folder)
    made = Plan(folder)
    table = relay_table(folder)
    project = Project(folder, table or {})
    package = project.handlers
    given = _contract(project, source, made)
    spec = given.root
    contract = given.contract
    security = _security(made, contract, folder.joinpath(*package.split(".")))
    values = {
        "name": _project_name(folder),
        "title": " ".join("".join(one if one.isprintable() else " " for one in contract.title).split()),
        "package": package,
        "spec": spec.as_posix(),
        "spec_pattern": _pattern(spec),
        "contract_root": spec.parts[0] if given.files and len(spec.parts) > 2 else "",
        "security": security,
        "requirement": requirement.with_extras(),
        "tools": requirement.with_extras("tools"),
    }
    table_text = render("relay_table.toml", **values)
    pyproject = render("pyproject.toml", **values, relay_table=table_text)
    own = folder / "pyproject.toml"
    made.add(given.files)
    made.add({PurePosixPath("pyproject.toml"): pyproject.encode()})
    made.add({PurePosixPath(name): render(name.lstrip("."), **values).encode() for name in _TEMPLATES})
    made.add({PurePosixPath(".github/workflows/contract.yml"): workflow(spec.as_posix()).encode()})
    with tempfile.TemporaryDirectory(prefix="relay-") as staged:
        text = own.read_bytes() if own.is_file() else pyproject.encode()
        Path(staged, "pyproject.toml").write_bytes(text)
        layout = Ruff(Path(staged))
        made.notes += _lint_notes(given, Path(staged))
        _add_handlers(made, contract, package, spec, security, layout)
        _add_tests(made, contract, package, security, layout)
    if table is not None and project.spec != folder / spec:
        made.notes.append(f"the contract is {spec}; set `spec` in [tool.relay] of pyproject.toml to it")
    made.notes += _by_hand(folder, table_text, requirement, table)
    made.notes += _setup_notes(made, requirement, security)
    made.check_inside()
    return made


def _security(made: Plan, contract: Contract, package: Path) -> Security:
    """Return how callers sign in, without keys that an existing package verifies in its own way: a note names those."""
    security = Security.of(contract)
    if not security.keys or not package.exists() or (package / "_settings.py").exists():
        return security
    names = ", ".join(one.name for one in security.keys)
    made.notes.append(
        f"{display(package)} verifies {names} in its own way; give the tests a credential of it, and "
        "[tool.relay.contract.identities] a variable that has one"
    )
    return replace(security, keys=())


def _pattern(path: PurePosixPath) -> str:
    folder, *rest = path.parts
    return f"^{re.escape(folder)}{'/' if rest else '$'}"


def _project_name(folder: Path) -> str:
    """Return the distribution's name: the folder's, but never Relay's own, which the project depends on."""
    name = re.sub(r"[^a-z0-9]+", "-", folder.name.lower()).strip("-")
    return f"{name}-service".strip("-") if name in ("", DISTRIBUTION) else name


def _contract(project: Project, source: str | None, made: Plan) -> ContractFiles:
    """Return the project's contract: the one that is there, else the named one, else a small one.

    With both, the existing one counts; a note says so where they differ.
    """
    existing = project.spec if project.spec.exists() else None
    given = read_source(source, project.folder) if source is not None else None
    if existing is None and given is None:
        title = f"{re.sub(r'[^A-Za-z0-9]+', ' ', project.folder.name).strip().title() or 'My'} API"
        return from_text(render("spec/openapi.yaml", title=title).encode(), project.folder)
    if existing is None:
        assert given is not None  # one of them is there
        made.notes += given.notes
        return given
    if not existing.resolve().is_relative_to(project.folder):
        message = "tool.relay.spec is outside the project; copy the contract into it"
        raise SetupError([Diagnostic(project.file, message)])
    with contextlib.chdir(project.folder):  # settings are those of the working directory's project
        settings = Settings.load()
    contract = load_contract(existing, settings.contract_root).named(settings.names)
    check_usable(contract)
    if given is not None and given.contract.document != contract.document:
        made.notes.append(
            f"{display(existing)} is kept, and the project is made for it; "
            f"`relay import {source}` adds the operations of {source}"
        )
    root = PurePosixPath(existing.resolve().relative_to(project.folder).as_posix())
    return ContractFiles(contract, {}, root)


def _add_handlers(
    made: Plan, contract: Contract, package: str, spec: PurePosixPath, security: Security, layout: Ruff
) -> None:
    folder = made.folder.joinpath(*package.split("."))
    sources = read_sources(package, made.folder) if folder.exists() else Sources(package, folder, {})
    files: dict[Path, bytes] = {}
    if not sources.files:  # a package that exists exports what its people chose
        hooks = package_files(contract, security, derive_envelope(contract))
        files = {folder / name: text for name, text in _formatted(hooks, layout)}
        sources = sources.changed(files)
    state = State(contract, sources, generate_types(contract), made.folder / spec)
    found = plan_handlers(state, layout)
    files |= found.changes
    made.add({PurePosixPath(path.relative_to(made.folder).as_posix()): text for path, text in files.items()})
    if any(path.exists() for path in found.changes):
        made.notes.append(
            f"{display(folder)} lacks what the contract has; `relay regenerate --diff` shows it"
        )
    made.notes += [one.line for one in found.remaining if one.severity is not Severity.INFO]


def _add_tests(made: Plan, contract: Contract, package: str, security: Security, layout: Ruff) -> None:
    found = sample_tests(contract, security, package)
    conftest = render("tests/conftest.py", package=package, security=security)
    modules = _formatted({"conftest.py": conftest, **found.modules}, layout)
    made.add({PurePosixPath("tests", name): text for name, text in modules})
    made.notes += [
        f"{operation} has no test: no request can be made from the contract; give its parameters and body examples"
        for operation in found.left_out
    ]
    path = made.folder / "tests" / "conftest.py"
    if path.exists() and "def api(" not in path.read_text("utf-8", "replace"):
        made.notes.append(
            f"{display(path)} lacks the fixture `api`, which the tests need: a relay.testing.client of relay.create_app()"
        )


def _formatted(files: Mapping[str, str], layout: Ruff) -> Iterator[tuple[str, bytes]]:
    pieces = layout.formatted([*files.values()])
    yield from ((name, f"{piece}\n".encode()) for name, piece in zip(files, pieces, strict=True))


def _lint_notes(given: ContractFiles, folder: Path) -> Iterator[str]:
    """Note the errors that lint finds in a new contract, which is written into `folder` for that."""
    if not given.files:
        return
    for name, content in given.files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    found = lint(folder / given.root, folder=folder / given.root.parts[0])
    if count := len(errors(found)):
        what = f"{count} error{'s' * (count != 1)}"
        yield f"`relay lint` finds {what} in the contract; scripts/test fails until they are corrected"


def _by_hand(
    folder: Path, table_text: str, requirement: Requirement, table: Mapping[str, Any] | None
) -> Iterator[str]:
    """Say which lines existing files need."""
    ignored = folder / ".gitignore"
    if ignored.is_file():
        listed = {line.strip("/") for line in ignored.read_text("utf-8", "replace").split()}
        if missing := [one for one in (".venv/", ".cache/", ".env") if one.strip("/") not in listed]:
            yield f".gitignore does not list {', '.join(missing)}; add it"
    if not (folder / "pyproject.toml").exists():
        return
    if table is None:
        lines = "".join(f"\n    {line}".rstrip() for line in table_text.strip().splitlines())
        yield f"pyproject.toml has no [tool.relay]; add to it:{lines}"
    project = read_pyproject(folder).get("project", {})
    if not _asks_for_relay(project.get("dependencies", ())):
        yield f"pyproject.toml does not ask for Relay; add to `dependencies` of [project]:\n    {requirement.with_extras()!r}"
    extras = project.get("optional-dependencies", {})
    if not _asks_for_relay(extras.get("dev", ())):
        wanted = [requirement.with_extras("tools"), "mypy", "pytest", "ruff"]
        yield f"pyproject.toml has no extra `dev`, which scripts/serve and tox.ini install; add to [project.optional-dependencies]:\n    dev = {wanted}"


def _asks_for_relay(requirements: Any) -> bool:
    return any(re.match(rf"{DISTRIBUTION}\b", str(one)) for one in requirements)


def _setup_notes(made: Plan, requirement: Requirement, security: Security) -> Iterator[str]:
    """Say what the project needs elsewhere than on this machine, and for its key schemes."""
    if requirement.is_local and PurePosixPath("pyproject.toml") in made.files:
        yield (
            f"pyproject.toml asks for{requirement.suffix.removeprefix(' @')}, a path of this machine; "
            "CI and the Dockerfile need a release or an address that they reach"
        )
    is_new = any(path.name == "_settings.py" for path in made.files)
    for one in security.keys if is_new else ():
        yield f"{one.variable} lists the accepted credentials of {one.name}; without it each is refused (401)"
