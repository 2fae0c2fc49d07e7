"""Swagger 2.0 → OpenAPI 3.0: servers, components and security; operations are in modules of their own."""

from collections.abc import Callable

from relay.importer.text_tree import Map

from .contract_files import ContractFiles, File
from .findings import Findings
from .swagger_2_bodies import schema_words
from .swagger_2_operations import Operations, servers
from .visits import visits

_COMPONENTS = {
    "definitions": "schemas",
    "parameters": "parameters",
    "responses": "responses",
    "securityDefinitions": "securitySchemes",
    "requestBodies": "requestBodies",
}
_FLOWS = {"application": "clientCredentials", "accessCode": "authorizationCode"}
_WORDS_OF_3 = "oneOf anyOf not nullable writeOnly deprecated".split()


def upgrade_swagger_2(files: ContractFiles, findings: Findings) -> None:
    """Bring all files of Swagger 2.0 to OpenAPI 3.0."""
    found = visits(files, "2.0")
    operations = Operations(files, findings, files.root.root)
    for kind, value, _ in found:
        if kind == "Schema":
            _schema(value, findings)
        elif kind == "Document":
            operations.remember(value.get("parameters"))
    steps: dict[str, Callable[[Map, File], None]] = {
        "PathItem": operations.path_item,
        "Response": operations.shared_response,
        "Header": operations.header,
        "Parameter": operations.shared_parameter,
        "Document": lambda root, _: _root(root, operations, findings),
    }
    for step, upgrade in steps.items():
        for kind, value, file in found:
            if kind == step:
                upgrade(value, file)
    files.set_version("2.0", "3.0")


def _schema(schema: Map, findings: Findings) -> None:
    if "$ref" in schema:
        if "x-nullable" in schema:
            message = "`x-nullable` next to a $ref had no effect, so it was removed; write `anyOf` with the $ref and `type: 'null'` if you mean it"
            findings.drop(schema, "x-nullable", message)
        return
    for word in [one for one in _WORDS_OF_3 if one in schema]:
        message = f"Swagger 2.0 has no `{word}` in schemas, so it was removed; add it again if you mean it"
        findings.drop(schema, word, message)
    name = schema.get("discriminator")
    if isinstance(name, str):
        inner = Map(is_flow=schema.is_flow)
        inner.put("propertyName", name, schema.entries.pop("discriminator", None))
        schema["discriminator"] = inner
    schema_words(schema)


def _root(root: Map, operations: Operations, findings: Findings) -> None:
    """Rewrite the fields of one Swagger Object, after everything in it."""
    root.rename("swagger", "openapi")
    root["openapi"] = "3.0.4"
    _servers(root, operations)
    for key in ("consumes", "produces"):
        root.drop(key)
    _parameters(root, operations, findings)
    for _, scheme in root.objects("securityDefinitions"):
        _security_scheme(scheme)
    keys = [key for key in root if key in _COMPONENTS]
    components = root.gather(keys, "components", at="definitions") or Map()
    for key in [key for key in components if key != _COMPONENTS[key]]:
        components.rename(key, _COMPONENTS[key])


def _servers(root: Map, operations: Operations) -> None:
    written = [key for key in root if key in ("host", "basePath", "schemes")]
    if root.get("schemes") and "host" not in root:
        operations.report_schemes(root)
    if not written:
        return
    first, *others = written
    urls = operations.server_urls(root.get("schemes"))
    is_written = first in root.entries
    root.rename(first, "servers")
    root["servers"] = servers(urls, root)
    for key in ["servers", *others] if is_written and not urls else others:
        root.drop(key)


def _parameters(root: Map, operations: Operations, findings: Findings) -> None:
    """Move the shared bodies away from the shared parameters; fields of forms are in each body that has them."""
    parameters = root.get("parameters")
    if not isinstance(parameters, Map):
        return
    bodies = Map(is_flow=parameters.is_flow)
    for name, parameter in [*parameters.items()]:
        if id(parameter) in operations.bodies:
            parameters.move(name, bodies)
        elif id(parameter) in operations.in_forms:
            parameters.take(name)
        elif id(parameter) in operations.fields:
            if id(parameter) not in operations.used:
                message = f"the form's field '{name}' is not used; a request body contains its fields, so it was removed"
                findings.report("no-equal", root, None, message)
            parameters.drop(name)
    if bodies:
        root.put("requestBodies", bodies, before="parameters")
    if not parameters:
        root.drop("parameters", is_empty=True)


def _security_scheme(scheme: Map) -> None:
    kind = scheme.get("type")
    if kind == "basic":
        scheme["type"] = "http"
        scheme.put("scheme", "basic", before=scheme.following("type"))
    elif kind == "oauth2" and "flow" in scheme:
        flow = scheme["flow"]
        inner = scheme.gather(("authorizationUrl", "tokenUrl", "scopes"), "flow details") or Map()
        inner.setdefault("scopes", Map())
        scheme.pop("flow details", None)
        scheme.rename("flow", "flows")
        scheme["flows"] = Map({_FLOWS.get(flow, flow): inner}, is_flow=scheme.is_flow)
