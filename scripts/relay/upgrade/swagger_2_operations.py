"""Swagger 2.0 → OpenAPI 3.0: operations with their parameters and responses."""

from typing import Any

from relay.contract.methods import METHODS
from relay.importer.text_tree import Entry, Map, Seq, copied

from .contract_files import ContractFiles, File
from .findings import Findings
from .swagger_2_bodies import JSON, Bodies, Part, media_types, move_type, style_of, with_content

_METHODS = METHODS[:7]  # those of Swagger 2.0


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
        self.in_forms = self._builder.in_forms
        self.bodies: set[int] = set()  # the shared parameters that became request bodies
        self.fields: set[int] = set()  # the shared fields of forms, which have no equal of their own
        self.used: set[int] = set()  # the shared parameters that some operation has

    def remember(self, parameters: Any) -> None:
        """Remember the text of shared parameters; the comments about a field go to the forms that have it."""
        for name, entry in parameters.entries.items() if isinstance(parameters, Map) else ():
            self._builder.shared[id(parameters[name])] = entry

    def path_item(self, item: Map, file: File) -> None:
        """Rewrite the operations of a path; a body that all of them have becomes one of each."""
        shared = self._take_bodies(item, file)
        for operation in map(item.get, _METHODS):
            if isinstance(operation, Map) and self._is_first(operation):
                self._operation(operation, file, shared)

    def _is_first(self, value: Map) -> bool:
        """Return True once for each object."""
        is_first = id(value) not in self._done
        self._done.add(id(value))
        return is_first

    def _take_bodies(self, owner: Map, file: File) -> list[Part]:
        """Remove the parameters of an object that are in the body; return each with what it refers to."""
        parameters = owner.get("parameters")
        parameters = parameters if isinstance(parameters, Seq) else Seq()
        taken: list[Part] = []
        for index in reversed(range(len(parameters))):
            target = self._files.target(parameters[index], file)
            if target is not None and target.get("in") in ("body", "formData"):
                holder, entry = parameters.take(index)
                taken.insert(0, (holder, target, entry))
        if taken and not parameters:
            owner.drop("parameters", is_empty=True)
        return taken

    def _operation(self, operation: Map, file: File, shared: list[Part]) -> None:
        consumes, produces = (
            media_types(operation[key]) if key in operation else default
            for key, default in (("consumes", self._consumes), ("produces", self._produces))
        )
        keys = [key for key in operation if key not in ("consumes", "produces", "schemes")]
        before = "responses" if "responses" in keys else None  # where the request body is written
        if "parameters" in keys:
            before = next(iter(keys[keys.index("parameters") + 1 :]), None)
        own = self._take_bodies(operation, file)
        names = {(target.get("in"), target.get("name")) for _, target, _ in own}
        has_body = any(where == "body" for where, _ in names)
        for holder, target, _ in shared:
            where = target.get("in")
            if (where, target.get("name")) not in names and not (has_body and where == "body"):
                copy = copied(holder)
                own.append((copy, target if holder is not target else copy, None))
        self._request_body(operation, own, consumes, before)
        self._responses(operation, file, produces)
        if "schemes" in operation and isinstance(self._root.get("host"), str):
            urls = self.server_urls(operation["schemes"])
            operation.rename("schemes", "servers")
            operation["servers"] = servers(urls, operation)
        elif "schemes" in operation:
            self.report_schemes(operation)
            operation.drop("schemes")
        for key in ("consumes", "produces"):
            operation.drop(key)

    def _request_body(
        self, operation: Map, parts: list[Part], consumes: list[str], before: str | None
    ) -> None:
        bodies = [part for part in parts if part[1].get("in") == "body"]
        fields = [part for part in parts if part[1].get("in") == "formData"]
        self.used.update(id(target) for _, target, _ in parts)
        for holder, target, _ in bodies[1:] or (fields if bodies else []):
            what = f"the parameter '{target.get('name', '?')}' is a second body"
            message = f"{what}, of which an operation has one; it was removed"
            self._findings.report("no-equal", operation, None, message)
            self.used.discard(id(holder))
        if not parts:
            return
        entry: Entry | None = None
        if bodies:
            body, target, entry = bodies[0]
            if body is target or consumes != self._consumes:
                body = copied(target) if body is not target else target
                self._done.add(id(body))
                self._builder.body(body, consumes)
        else:
            body = self._builder.form(operation, fields, consumes)
            self._done.update(id(target) for holder, target, _ in fields if holder is target)
        operation.put("requestBody", body, entry, before=before)
        if before in operation.kept:  # the comments of parameters that went are about it
            operation.kept["requestBody"] = operation.kept.pop(before)

    def _responses(self, operation: Map, file: File, produces: list[str]) -> None:
        responses = operation.get("responses")
        responses = responses if isinstance(responses, Map) else Map()
        for status, holder in [*responses.items()]:
            target = self._files.target(holder, file)
            if target is None or status.startswith("x-"):
                continue
            if holder is target:
                self._response(target, file, produces)
            elif (
                produces != self._produces
                and id(target) not in self._done
                and ("schema" in target or "examples" in target)
            ):
                own = copied(target)
                responses[status] = own
                self._response(own, file, produces)

    def _response(self, response: Map, file: File, produces: list[str]) -> None:
        if self._is_first(response):
            for _, header in response.objects("headers"):
                self.header(header, file)
            with_content(response, produces or [JSON])

    def shared_response(self, response: Map, file: File) -> None:
        """Rewrite a response that no operation has as its own."""
        if "$ref" not in response:
            self._response(response, file, self._produces)

    def header(self, header: Map, _file: File) -> None:
        """Rewrite a header of a response."""
        style_of(header, "header", self._findings)
        move_type(header)

    def shared_parameter(self, parameter: Map, _file: File) -> None:
        """Rewrite a parameter; a body that operations share becomes a request body."""
        where = parameter.get("in")
        if "$ref" in parameter or not self._is_first(parameter):
            return
        if where == "body":
            self.bodies.add(id(parameter))
            self._builder.body(parameter, self._consumes)
        elif where == "formData":
            self.fields.add(id(parameter))
        elif isinstance(where, str):
            style = style_of(parameter, where, self._findings)
            move_type(parameter)
            if where != "query":
                parameter.drop("allowEmptyValue")
            for key, value in style._asdict().items():
                if value is not None:
                    parameter.put(key, value, before="schema" if "schema" in parameter else None)

    def server_urls(self, schemes: Any) -> list[str]:
        """Return the addresses of the servers that answer by some schemes; none without host and path."""
        host, path = self._root.get("host"), self._root.get("basePath", "")
        path = path if isinstance(path, str) else ""
        if not isinstance(host, str):
            return [path] if path else []
        address = f"//{host}{'' if path == '/' else path}"
        return [f"{name}:{address}" for name in media_types(schemes)] or [address]

    def report_schemes(self, owner: Map) -> None:
        """Report schemes that have no host."""
        schemes = owner["schemes"]
        named = ", ".join(map(str, schemes)) if isinstance(schemes, Seq) else "?"
        message = f"`schemes` ({named}) without `host` is no address; write the whole one into `servers`"
        self._findings.report("no-equal", owner, "schemes", message)


def servers(urls: list[str], owner: Map) -> Seq:
    """Return a list of servers in the style of the object that has it."""
    return Seq((Map({"url": url}, is_flow=owner.is_flow) for url in urls), is_flow=owner.is_flow)
