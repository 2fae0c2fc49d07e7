"""Swagger 2.0 → OpenAPI 3.0: operations with their parameters and responses."""

from __future__ import annotations

from typing import Any

from .contract_files import ContractFiles, File
from .findings import Findings
from .swagger_2_bodies import JSON, Bodies, media_types, with_content
from .swagger_2_types import style_of, with_schema
from .tree import Entry, Map, Seq, copied

_Part = tuple[Map, Map, Entry | None]
"""A parameter that is in the body, what its `$ref` leads to, and its text."""

_METHODS = "get put post delete options head patch".split()


class Operations:
    """Rewrites the operations of a contract, and what they share."""

    def __init__(self, files: ContractFiles, findings: Findings, root: Map) -> None:
        self._files = files
        self._findings = findings
        self._root = root
        self._consumes = media_types(root.get("consumes"))
        self._produces = media_types(root.get("produces"))
        self._done: set[int] = set()
        self._builder = Bodies(findings)
        self.bodies: set[int] = set()
        """The shared parameters that became request bodies."""

        self.fields: set[int] = set()
        """The shared fields of forms, which have no equal of their own."""

        self.used: set[int] = set()
        """Those that some operation has."""

    def shares(self, parameters: Any) -> None:
        """Remember the text of shared parameters; the comments about a field go to the forms that have it."""
        for name, entry in parameters.entries.items() if isinstance(parameters, Map) else ():
            self._builder.shared[id(parameters[name])] = entry

    def is_in_form(self, parameter: Map) -> bool:
        """Return True if a form has a shared parameter as a field, with its comments."""
        return id(parameter) in self._builder.in_forms

    def path_item(self, item: Map, file: File) -> None:
        """Rewrite the operations of a path; a body that all of them have becomes one of each."""
        shared = self._take_bodies(item, file)
        for method in _METHODS:
            operation = item.get(method)
            if isinstance(operation, Map) and id(operation) not in self._done:
                self._done.add(id(operation))
                self._operation(operation, file, shared)

    def _take_bodies(self, owner: Map, file: File) -> list[_Part]:
        """Remove the parameters of an object that are in the body; return each with what it refers to."""
        parameters = owner.get("parameters")
        taken: list[_Part] = []
        if not isinstance(parameters, Seq):
            return taken
        for index in reversed(range(len(parameters))):
            holder = parameters[index]
            target = self._target(holder, file)
            if target is not None and target.get("in") in ("body", "formData"):
                _, entry = parameters.take(index)
                taken.insert(0, (holder, target, entry))
        if taken and not parameters:
            owner.drop("parameters", is_empty=True)
        return taken

    def _target(self, holder: Any, file: File) -> Map | None:
        """Return an object, or what its `$ref`s lead to."""
        seen: set[int] = set()
        while isinstance(holder, Map) and "$ref" in holder and id(holder) not in seen:
            seen.add(id(holder))
            found = self._files.follow(holder, file)
            holder, file = found if found is not None else (None, file)
        return holder if isinstance(holder, Map) else None

    def _operation(self, operation: Map, file: File, shared: list[_Part]) -> None:
        consumes = self._types(operation, "consumes", self._consumes)
        produces = self._types(operation, "produces", self._produces)
        position = self._after_parameters(operation)
        own = self._take_bodies(operation, file)
        names = {(target.get("in"), target.get("name")) for _, target, _ in own}
        has_body = any(where == "body" for where, _ in names)
        inherited = [
            _own(holder, target)
            for holder, target, _ in shared
            if (target.get("in"), target.get("name")) not in names
            and not (has_body and target.get("in") == "body")
        ]
        self._request_body(operation, [*own, *inherited], consumes, position)
        self._responses(operation, file, produces)
        if "schemes" in operation:
            self._servers(operation)
        for key in ("consumes", "produces"):
            operation.drop(key)

    def _after_parameters(self, operation: Map) -> str | None:
        """Return the key before which the request body is written."""
        keys = [key for key in operation if key not in ("consumes", "produces", "schemes")]
        if "parameters" in keys:
            return next(iter(keys[keys.index("parameters") + 1 :]), None)
        return "responses" if "responses" in keys else None

    def _types(self, operation: Map, key: str, default: list[str]) -> list[str]:
        return media_types(operation[key]) if key in operation else default

    def _request_body(
        self,
        operation: Map,
        parts: list[_Part],
        consumes: list[str],
        before: str | None,
    ) -> None:
        bodies = [part for part in parts if part[1].get("in") == "body"]
        fields = [part for part in parts if part[1].get("in") == "formData"]
        self.used.update(id(target) for _, target, _ in parts)
        for holder, target, _ in bodies[1:] or (fields if bodies else []):
            name = target.get("name", "?")
            message = (
                f"the parameter '{name}' is a second body, of which an operation has one; it was removed"
            )
            self._findings.no_equal(operation, None, message)
            self.used.discard(id(holder))
        if bodies:
            holder, target, entry = bodies[0]
            if holder is not target and consumes == self._consumes:
                self._put_body(operation, holder, entry, before)
                return
            body = copied(target) if holder is not target else target
            self._done.add(id(body))
            self._builder.body(body, consumes)
            self._put_body(operation, body, entry, before)
        elif fields:
            body = self._builder.form(operation, fields, consumes)
            self._done.update(id(target) for holder, target, _ in fields if holder is target)
            self._put_body(operation, body, None, before)

    def _put_body(self, operation: Map, body: Map, entry: Entry | None, before: str | None) -> None:
        """Add a request body; the comments of parameters that went are about it."""
        operation.put("requestBody", body, entry, before=before)
        if before in operation.kept:
            operation.kept["requestBody"] = operation.kept.pop(before)

    def _responses(self, operation: Map, file: File, produces: list[str]) -> None:
        responses = operation.get("responses")
        if not isinstance(responses, Map):
            return
        for status, holder in list(responses.items()):
            target = self._target(holder, file)
            if target is None or status.startswith("x-"):
                continue
            if holder is target:
                self._response(target, file, produces)
            elif produces != self._produces and ("schema" in target or "examples" in target):
                if id(target) in self._done:
                    continue
                own = copied(target)
                responses[status] = own
                self._response(own, file, produces)

    def _response(self, response: Map, file: File, produces: list[str]) -> None:
        if id(response) in self._done:
            return
        self._done.add(id(response))
        headers = response.get("headers")
        for header in headers.values() if isinstance(headers, Map) else ():
            if isinstance(header, Map):
                self.header(header, file)
        with_content(response, produces or [JSON])

    def shared_response(self, response: Map, file: File) -> None:
        """Rewrite a response that no operation has as its own."""
        if "$ref" not in response:
            self._response(response, file, self._produces)

    def header(self, header: Map, _file: File) -> None:
        """Rewrite a header of a response."""
        style_of(header, "header", self._findings)
        with_schema(header)

    def shared_parameter(self, parameter: Map, _file: File) -> None:
        """Rewrite a parameter; a body that operations share becomes a request body."""
        where = parameter.get("in")
        if "$ref" in parameter or id(parameter) in self._done:
            return
        self._done.add(id(parameter))
        if where == "body":
            self.bodies.add(id(parameter))
            self._builder.body(parameter, self._consumes)
        elif where == "formData":
            self.fields.add(id(parameter))
        elif isinstance(where, str):
            self._parameter(parameter, where)

    def _parameter(self, parameter: Map, where: str) -> None:
        style = style_of(parameter, where, self._findings)
        with_schema(parameter)
        if where != "query":
            parameter.drop("allowEmptyValue")
        if style.style is not None:
            parameter.put("style", style.style, before="schema" if "schema" in parameter else None)
        if style.explode is not None:
            parameter.put("explode", style.explode, before="schema" if "schema" in parameter else None)

    def server_urls(self, schemes: Any) -> list[str]:
        """Return the addresses of the servers that answer by some schemes; none without host and path."""
        host, path = self._root.get("host"), self._root.get("basePath", "")
        path = path if isinstance(path, str) else ""
        if not isinstance(host, str):
            return [path] if path else []
        names = [one for one in schemes if isinstance(one, str)] if isinstance(schemes, Seq) else []
        address = f"//{host}{'' if path == '/' else path}"
        return [f"{name}:{address}" for name in names] or [address]

    def _servers(self, operation: Map) -> None:
        if not isinstance(self._root.get("host"), str):
            self._findings.no_equal(operation, "schemes", no_host(operation["schemes"]))
            operation.drop("schemes")
            return
        urls = self.server_urls(operation["schemes"])
        operation.rename("schemes", "servers")
        servers = Seq(
            (Map({"url": url}, is_flow=operation.is_flow) for url in urls), is_flow=operation.is_flow
        )
        operation["servers"] = servers


def _own(holder: Map, target: Map) -> _Part:
    """Return a parameter of a path for one of its operations: a `$ref`, or a copy."""
    if holder is not target:
        return holder.copied(), target, None
    own = target.copied()
    return own, own, None


def no_host(schemes: Any) -> str:
    """Return what to say of schemes that have no host."""
    named = ", ".join(map(str, schemes)) if isinstance(schemes, Seq) else "?"
    return f"`schemes` ({named}) without `host` is no address; write the whole one into `servers`"
