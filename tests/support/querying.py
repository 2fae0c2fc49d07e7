"""Requests with parameters to one operation, without a server."""

import pytest

from relay.server.routing import Routes
from relay.validation.errors import InvalidRequest
from relay.validation.http import Request
from relay.validation.requests import RequestDecoder
from relay.validation.schemas import SchemaCompiler, Strictness

from .compiled import read
from .hosting import contract, operation

FORM = "application/x-www-form-urlencoded"


class Service:
    """One operation with parameters, in the way of a request: its path is found, then its texts are decoded."""

    def __init__(self, *parameters, path="/p", form=None, strictness=None, **rest):
        body = {"requestBody": {"content": {FORM: form}}} if form else {}
        document = contract({path: {"post": operation("take", parameters=list(parameters), **body)}}, **rest)
        whole = read(document)
        (taking,) = whole.operations
        compiler = SchemaCompiler(whole, strictness or Strictness())
        self.decoder = RequestDecoder(taking, taking.arguments, compiler)
        self.routes = Routes.of({("post", path): taking})
        assert compiler.problems == []

    def arguments(self, query="", *, path="/p", cookie=None, form=""):
        """Return the handler's arguments."""
        headers = [(b"cookie", cookie.encode("latin-1"))] if cookie is not None else []
        headers += [(b"content-type", FORM.encode())] if form else []
        match = self.routes.find(path)
        assert match is not None
        variables = match.variables("POST")
        request = Request(variables, query.encode(), headers, form.encode(), path.encode())
        return self.decoder.decode(request)

    def violations(self, query="", **rest):
        """Return the location, path and rule of each violation."""
        with pytest.raises(InvalidRequest) as raised:
            self.arguments(query, **rest)
        return [(one.location, one.path, one.rule) for one in raised.value.failures]
