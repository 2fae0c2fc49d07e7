"""Swagger 2.0 → OpenAPI 3.0: servers, components and security; operations are in modules of their own."""

from __future__ import annotations

from typing import Any

from .contract_files import ContractFiles, File
from .findings import Findings
from .swagger_2_operations import Operations, no_host
from .swagger_2_types import schema_words
from .tree import Map, Seq
from .visits import Visit, visits

_COMPONENTS = {
    "definitions": "schemas",
    "parameters": "parameters",
    "responses": "responses",
    "securityDefinitions": "securitySchemes",
}
_FLOWS = {"application": "clientCredentials", "accessCode": "authorizationCode"}
_WORDS_OF_3 = "oneOf anyOf not nullable writeOnly deprecated".split()


def upgrade_swagger_2(files: ContractFiles, findings: Findings) -> None:
    """Bring all files of Swagger 2.0 to OpenAPI 3.0."""
    found = visits(files, "2.0")
    roots = [visit for visit in found if visit.role == "document"]
    operations = Operations(files, findings, files.root.root)
    for role, value, _ in found:
        if role == "schema":
            _schema(value, findings)
    for _, root, _ in roots:
        operations.shares(root.get("parameters"))
    _of_role(found, "path item", operations.path_item)
    _of_role(found, "response", operations.shared_response)
    _of_role(found, "header", operations.header)
    _of_role(found, "parameter", operations.shared_parameter)
    for _, value, file in roots:
        _Root(value, file, operations, findings).upgrade()
    for file in files.files.values():
        file.own_version = "3.0" if file.own_version == "2.0" else file.own_version


def _of_role(found: list[Visit], role: str, step: Any) -> None:
    for visit in found:
        if visit.role == role:
            step(visit.value, visit.file)


def _schema(schema: Map, findings: Findings) -> None:
    if "$ref" in schema:
        _drop_beside_ref(schema, findings)
        return
    for word in _WORDS_OF_3:
        if word in schema:
            message = (
                f"Swagger 2.0 has no `{word}` in schemas, so it was removed; add it again if you mean it"
            )
            findings.no_effect(schema, word, message)
            schema.drop(word)
    name = schema.get("discriminator")
    if isinstance(name, str):
        value, entry = schema["discriminator"], schema.entries.get("discriminator")
        inner = Map(is_flow=schema.is_flow)
        inner.put("propertyName", value, entry)
        schema["discriminator"] = inner
        schema.entries.pop("discriminator", None)
    schema_words(schema)


def _drop_beside_ref(schema: Map, findings: Findings) -> None:
    if "x-nullable" in schema:
        message = "`x-nullable` next to a $ref had no effect, so it was removed; write `anyOf` with the $ref and `type: 'null'` if you mean it"
        findings.no_effect(schema, "x-nullable", message)
        schema.drop("x-nullable")


class _Root:
    """The fields of one Swagger Object."""

    def __init__(self, root: Map, file: File, operations: Operations, findings: Findings) -> None:
        self._root = root
        self._file = file
        self._operations = operations
        self._findings = findings

    def upgrade(self) -> None:
        """Rewrite the root of a file, after everything in it."""
        root = self._root
        root.rename("swagger", "openapi")
        root["openapi"] = "3.0.4"
        self._servers()
        for key in ("consumes", "produces"):
            root.drop(key)
        self._parameters()
        for scheme in _objects(root.get("securityDefinitions")):
            self._security_scheme(scheme)
        self._components()

    def _servers(self) -> None:
        root = self._root
        written = [key for key in root if key in ("host", "basePath", "schemes")]
        urls = self._operations.server_urls(root.get("schemes"))
        if root.get("schemes") and "host" not in root:
            self._findings.no_equal(root, "schemes", no_host(root["schemes"]))
        if written:
            first = written[0]
            servers = Seq(Map({"url": url}, is_flow=root.is_flow) for url in urls)
            servers.is_flow = root.is_flow
            entry = root.entries.get(first)
            root.rename(first, "servers")
            root["servers"] = servers
            if entry is not None and not urls:
                root.drop("servers")
            for key in written[1:]:
                root.drop(key)

    def _parameters(self) -> None:
        """Move the shared bodies away from the shared parameters; fields of forms are in each body that has them."""
        parameters = self._root.get("parameters")
        if not isinstance(parameters, Map):
            return
        bodies = Map(is_flow=parameters.is_flow)
        for name in list(parameters):
            if id(parameters[name]) in self._operations.bodies:
                parameters.move(name, bodies)
            elif id(parameters[name]) in self._operations.fields:
                self._drop_field(parameters, name)
        if bodies:
            before = None if parameters else "parameters"
            self._root.put("requestBodies", bodies, before=before or "parameters")
        if not parameters:
            self._root.drop("parameters", is_empty=True)

    def _drop_field(self, parameters: Map, name: str) -> None:
        field = parameters[name]
        if self._operations.is_in_form(field):
            parameters.take(name)
            return
        if id(field) not in self._operations.used:
            message = f"the form's field '{name}' is not used; a request body contains its fields, so it was removed"
            self._findings.no_equal(self._root, None, message)
        parameters.drop(name)

    def _components(self) -> None:
        root = self._root
        names = {**_COMPONENTS, "requestBodies": "requestBodies"}
        components = root.gather([key for key in root if key in names], "components", at="definitions")
        for key, name in names.items() if components is not None else ():
            if components is not None and key in components and key != name:
                components.rename(key, name)

    def _security_scheme(self, scheme: Map) -> None:
        kind = scheme.get("type")
        if kind == "basic":
            scheme["type"] = "http"
            after = list(scheme)[list(scheme).index("type") + 1 :]
            scheme.put("scheme", "basic", before=after[0] if after else None)
        elif kind == "oauth2" and "flow" in scheme:
            flow = scheme["flow"]
            inner = scheme.gather(("authorizationUrl", "tokenUrl", "scopes"), "flow details") or Map()
            if "scopes" not in inner:
                inner["scopes"] = Map()
            flows = Map({_FLOWS.get(flow, flow): inner}, is_flow=scheme.is_flow)
            if "flow details" in scheme:
                del scheme["flow details"]
            scheme.rename("flow", "flows")
            scheme["flows"] = flows


def _objects(value: Any) -> list[Map]:
    return [one for one in value.values() if isinstance(one, Map)] if isinstance(value, Map) else []
