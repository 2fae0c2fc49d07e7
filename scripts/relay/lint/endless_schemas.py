"""Checks for schemas that require themselves, which have no finite value."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from relay.contract.model import Contract, Schema
from relay.contract.pointers import references
from relay.contract.schema_words import CHOICES

from .lint_rules import Found


def check_finite(contract: Contract) -> Iterator[Found]:
    """Yield schemas that refer to themselves without a finite alternative."""
    schemas: Mapping[str, Schema] = (contract.document.get("components") or {}).get("schemas") or {}
    refs = {f"#/components/schemas/{name}": name for name in schemas}
    finite = _finite(schemas, refs)
    endless = [name for name in schemas if name not in finite]
    itself, requiring_itself = (
        _on_circles({name: _used(schemas[name], refs, within=within) for name in endless})
        for within in (False, True)
    )
    for name in endless:
        pointer = ("components", "schemas", name)
        if name in itself:
            message = f"'{name}' is defined only by itself; replace the reference by a definition"
            yield "circular-ref", pointer, message
        elif name in requiring_itself:
            message = (
                f"'{name}' requires itself, so no finite value is valid; make a property optional or nullable"
            )
            yield "endless-schema", pointer, message


def _finite(schemas: Mapping[str, Schema], refs: Mapping[str, str]) -> set[str]:
    """Return the names of the schemas that may have a finite value; each is asked again when one it uses has."""
    users: defaultdict[str, set[str]] = defaultdict(set)
    for name, schema in schemas.items():
        for _, ref in references(schema):
            users[refs.get(ref, "")].add(name)
    finite: set[str] = set()
    pending = list(schemas)
    while pending:
        name = pending.pop()
        if name not in finite and _ends(schemas[name], refs, finite):
            finite.add(name)
            pending += users[name] - finite
    return finite


def _ends(schema: Schema, refs: Mapping[str, str], finite: set[str]) -> bool:
    """Return True if a schema may have a finite value, given the components known to have one."""
    if (ref := schema.get("$ref")) is not None:
        return refs.get(ref, "") in finite or ref not in refs
    if schema.get("nullable") or "enum" in schema:
        return True
    types = schema.get("type")
    within = not isinstance(types, list) or {"object", "array"}.issuperset(types)
    return all(
        any(_ends(part, refs, finite) for part in alternatives)
        for alternatives in _required_parts(schema, within=within)
    )


def _required_parts(schema: Schema, *, within: bool) -> Iterator[list[Schema]]:
    """Yield lists of schemas, one of each list applies to a value; `within` includes its properties and items."""
    yield from ([part] for part in schema.get("allOf", []))
    yield from (schema[keyword] for keyword in CHOICES if schema.get(keyword))
    if "if" in schema and "then" in schema and "else" in schema:
        yield [schema["then"], schema["else"]]
    if within:
        properties = schema.get("properties", {})
        yield from ([properties[name]] for name in schema.get("required", []) if name in properties)
        least, prefix = schema.get("minItems", 0), schema.get("prefixItems", [])
        yield from ([part] for part in prefix[:least])
        if least > len(prefix) and "items" in schema:
            yield [schema["items"]]
        if "contains" in schema and schema.get("minContains", 1) > 0:
            yield [schema["contains"]]


def _used(schema: Schema, refs: Mapping[str, str], *, within: bool) -> list[str]:
    """Return the components that a schema combines; with `within` also those that its values contain."""
    found: list[str] = []
    pending: list[Schema] = [schema]
    while pending:
        schema = pending.pop()
        if (ref := schema.get("$ref")) is None:
            pending += [part for parts in _required_parts(schema, within=within) for part in parts]
        elif ref in refs:
            found.append(refs[ref])
    return found


def _on_circles(edges: Mapping[str, Iterable[str]]) -> set[str]:
    """Return the nodes from which a way leads back to them: those of strongly connected components."""
    back: dict[str, list[str]] = {name: [] for name in edges}
    for name, targets in edges.items():
        for target in targets:
            if target in back:
                back[target].append(name)
    seen: set[str] = set()
    left = [name for start in edges for name in _in_order_of_leaving(start, edges, seen)]
    seen.clear()
    components = [list(_in_order_of_leaving(start, back, seen)) for start in reversed(left)]
    return {name for found in components for name in found if len(found) > 1 or name in edges[name]}


def _in_order_of_leaving(start: str, edges: Mapping[str, Iterable[str]], seen: set[str]) -> Iterator[str]:
    """Yield the nodes that are reached from a node for the first time, each after those reached from it."""
    way = [(start, iter(edges[start]))] if start not in seen else []
    seen.add(start)
    while way:
        name, targets = way[-1]
        target = next((one for one in targets if one in edges and one not in seen), None)
        if target is None:
            way.pop()
            yield name
        else:
            seen.add(target)
            way.append((target, iter(edges[target])))
