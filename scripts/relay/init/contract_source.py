"""Where a new project's contract comes from: a file with all it refers to, documentation pages, or a template."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from relay.contract.diagnostics import Diagnostic, SetupError
from relay.contract.documents import Document, display, parse_document, parse_source
from relay.contract.loading import build_contract, bundle_document, faultless, resolved
from relay.contract.model import Contract
from relay.contract.pointers import references
from relay.importer.https_fetch import is_address
from relay.importer.import_sources import Reader
from relay.importer.merge import Merge
from relay.importer.pages import OPENAPI
from relay.importer.sources_lock import NAME, Lock
from relay.importer.target_contract import Target
from relay.importer.yaml_text import block
from relay.project.settings import Settings

FOLDER = PurePosixPath("spec")
DEFAULT = FOLDER / "openapi.yaml"
MAX_BYTES = 1 << 24  # the largest page or OpenAPI file that is fetched


@dataclass(frozen=True, slots=True)
class ContractFiles:
    """A contract, its files by their place in the project, and which of them is the root."""

    contract: Contract
    files: Mapping[PurePosixPath, bytes]
    root: PurePosixPath = DEFAULT
    notes: tuple[str, ...] = ()


def read_source(source: str, folder: Path) -> ContractFiles:
    """Read the contract that --spec names, for a project in `folder`.

    Raises SetupError with everything that is wrong with it.
    """
    if not is_address(source) and Path(source).suffix.lower() in OPENAPI:
        return _copied(Path(source))
    return _imported(source, folder)


def from_text(content: bytes, folder: Path) -> ContractFiles:
    """Return a contract of one YAML file."""
    document, problems = parse_source(folder / DEFAULT, content)
    return ContractFiles(build_contract(document, problems), {DEFAULT: content})


def _imported(source: str, folder: Path) -> ContractFiles:
    """Merge documentation pages as `relay import` does, with the lock that records where they are from."""
    target = Target(folder / "new" / DEFAULT)  # a path without a file: the project's own may exist
    lock = Lock(folder / FOLDER / NAME)
    sources = Reader(MAX_BYTES).read([source])
    merge = Merge(None, lock, sources)
    content, contract, refused = target.merged(merge)
    if contract is None:
        raise SetupError(refused)
    recorded = lock.with_records(lock.record(page, operation) for page, operation, _ in merge.outcomes)
    files = {DEFAULT: content, FOLDER / NAME: recorded.as_yaml().encode()}
    return ContractFiles(contract, files)


def _copied(path: Path) -> ContractFiles:
    """Take a file and all files that it refers to, which keep their places relative to each other."""
    root, problems = parse_document(resolved(path))
    folder = Settings.load().contract_root
    contract = build_contract(root, problems, folder)
    check_usable(contract)
    documents = bundle_document(root, (), folder)[0].documents
    top = Path(os.path.commonpath([one.path.parent for one in documents]))
    places = {one.path: FOLDER / one.path.relative_to(top).as_posix() for one in documents}
    files = {places[one.path]: one.source for one in documents}
    if NAME in {place.name for place in files}:
        message = f"refers to a file called {NAME}, which `relay import` writes; rename it"
        raise SetupError([Diagnostic(display(path), message)])
    return _named(contract, root, files, places[root.path], is_referred_to=_refers_back(root, documents))


def check_usable(contract: Contract) -> None:
    """Raise SetupError if not one operation can be served, or a file that the contract needs is out of reach."""
    if any(fault.rule == "outside-ref" for fault in contract.faults) or not contract.operations:
        faultless(contract)


def _named(
    contract: Contract,
    root: Document,
    files: dict[PurePosixPath, bytes],
    place: PurePosixPath,
    *,
    is_referred_to: bool,
) -> ContractFiles:
    """Call the root spec/openapi.yaml where no file refers to it and no value of it is lost."""
    if place == DEFAULT:
        return ContractFiles(contract, files)
    reason = ""
    content = root.source
    if is_referred_to:
        reason = "its files refer to it by its name"
    elif place.parent != FOLDER:
        reason = "it refers to files outside its folder"
    elif DEFAULT in files:
        reason = f"{DEFAULT} is another file of it"
    elif root.path.suffix == ".json":
        content = block(root.data).encode()
        reason = "" if _is_same(root, content) else "as YAML it would not say the same"
    if not reason:
        rest = {name: text for name, text in files.items() if name != place}
        return ContractFiles(contract, {DEFAULT: content, **rest})
    if root.path.suffix == ".json" and not is_referred_to and place.parent == FOLDER:
        files[FOLDER / "openapi.json"] = files.pop(place)
        place = FOLDER / "openapi.json"
    note = f"the contract is {place}, as pyproject.toml says: {reason}"
    return ContractFiles(contract, files, place, (note,))


def _refers_back(root: Document, documents: tuple[Document, ...]) -> bool:
    """Return True where a file refers to the root document by its name."""
    return any(
        (one.path.parent / ref.partition("#")[0]).resolve() == root.path
        for one in documents
        for _, ref in references(one.data)
        if not ref.startswith("#")
    )


def _is_same(root: Document, content: bytes) -> bool:
    """Return True where YAML holds the values of a JSON document, in its order."""
    try:
        written, problems = parse_source(root.path.with_suffix(".yaml"), content)
    except SetupError:
        return False
    return not problems and json.dumps(written.data) == json.dumps(root.data)
