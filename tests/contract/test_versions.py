"""Contracts of OpenAPI 3.1 and 3.2: `relay.contract`'s canonical schemas, identifiers and path items."""

import textwrap

import pytest

from relay.contract.loading import load_contract

HEAD = "openapi: 3.2.0\ninfo: {title: t, version: '1'}\n"
TAKEN = "{responses: {'204': {description: taken}}}"


@pytest.fixture
def load(tmp_path, monkeypatch):
    """Load `c.yaml`; other files are given as text, by name without `.yaml`."""
    monkeypatch.chdir(tmp_path)

    def load(text, **files):
        for name, content in {"c": HEAD + textwrap.dedent(text), **files}.items():
            (tmp_path / f"{name}.yaml").write_text(textwrap.dedent(content), "utf-8")
        return load_contract(tmp_path / "c.yaml")

    return load


def schema(contract, name="A"):
    """Return a component in canonical form."""
    return contract.document["components"]["schemas"][name]


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("true", {}),
        ("false", {"not": {}}),
        ("{type: [string, 'null']}", {"type": "string", "nullable": True}),
        ("{type: [string]}", {"type": "string"}),
        ("{type: [string, integer, 'null']}", {"type": ["string", "integer", "null"]}),
        ("{type: [object, 'null'], allOf: [{}]}", {"type": ["object", "null"], "allOf": [{}]}),
        ("{const: 1}", {"enum": [1]}),
        ("{const: 1, enum: [1, 2]}", {"enum": [1, 2], "allOf": [{"enum": [1]}]}),
        ("{exclusiveMinimum: 1}", {"minimum": 1, "exclusiveMinimum": True}),
        ("{exclusiveMinimum: 1, minimum: 0}", {"minimum": 1, "exclusiveMinimum": True}),
        ("{exclusiveMinimum: 1, minimum: 2}", {"minimum": 2}),
        ("{exclusiveMaximum: 1, maximum: 1}", {"maximum": 1, "exclusiveMaximum": True}),
        ("{exclusiveMaximum: 1, maximum: 0}", {"maximum": 0}),
        ("{nullable: true, type: string}", {"type": "string"}),
        ("{items: false, $comment: c}", {"items": {"not": {}}}),
        ("{additionalProperties: false}", {"additionalProperties": False}),
        (
            "{$ref: '#/components/schemas/B', allOf: [{}], description: d}",
            {"allOf": [{}, {"$ref": "#/components/schemas/B"}], "description": "d"},
        ),
        ("{$ref: '#/components/schemas/B'}", {"$ref": "#/components/schemas/B"}),
    ],
)
def test_a_schema_gets_the_form_that_readers_know(load, written, canonical):
    """A schema that 3.0 can write is written as in 3.0, so each reader of schemas knows one form."""
    contract = load(f"components: {{schemas: {{A: {written}, B: {{}}}}}}")
    assert schema(contract) == canonical


def test_data_is_not_a_schema(load):
    """An enum may contain what looks like one."""
    contract = load("components: {schemas: {A: {enum: [true, {const: 1}], examples: [{nullable: true}]}}}")
    assert schema(contract) == {"enum": [True, {"const": 1}], "examples": [{"nullable": True}]}


class TestIdentifiers:
    """Schemas and documents with names."""

    def test_a_file_has_the_names_of_its_own(self, load):
        """References in it are relative to them, and others find it by them."""
        contract = load(
            """
            components:
              schemas:
                A: {$ref: 'address.yaml#street'}
                B: {$ref: 'https://names.example/address#/$defs/city'}
            """,
            address="""
            $id: https://names.example/address
            $defs:
              street: {$anchor: street, $ref: '#/$defs/text'}
              text: {type: string}
              city: {$ref: address#/$defs/text}
            """,
        )

        assert [str(one) for one in contract.faults] == []
        assert contract.resolve(schema(contract, "A")) == {"type": "string"}
        assert contract.resolve(schema(contract, "B")) == {"type": "string"}

    def test_a_document_names_itself(self, load):
        """`$self` is the base of references (OpenAPI 3.2, "OpenAPI Object"); what is not known by it is a file."""
        contract = load(
            """
            $self: https://api.example/v1/contract
            components:
              schemas:
                A: {$ref: 'contract#/components/schemas/C'}
                B: {$ref: 'parts.yaml#/text'}
                C: {type: integer}
            """,
            parts="text: {type: string}",
        )

        assert [str(one) for one in contract.faults] == []
        assert contract.resolve(schema(contract, "A")) == {"type": "integer"}
        assert contract.resolve(schema(contract, "B")) == {"type": "string"}

    def test_a_file_keeps_its_dialect(self, load):
        """A schema of draft 7 means the same for all references to a part of it."""
        contract = load(
            "components: {schemas: {A: {$ref: 'old.yaml#/definitions/pair'}}}",
            old="""
            $schema: http://json-schema.org/draft-07/schema#
            definitions: {pair: {items: [{type: string}], additionalItems: false}}
            """,
        )

        assert contract.resolve(schema(contract)) == {
            "prefixItems": [{"type": "string"}],
            "items": {"not": {}},
        }

    def test_a_name_that_nothing_has_is_reported_at_its_place(self, load):
        """As a pointer that leads nowhere."""
        contract = load("components: {schemas: {A: {$ref: '#gone'}, B: {$dynamicRef: '#gone'}}}")
        assert [str(one) for one in contract.faults] == [
            "c.yaml:3:28: '#gone' does not exist; define it or correct the $ref",
            "c.yaml:3:48: '#gone' does not exist; define it or correct the $ref",
        ]

    @pytest.mark.parametrize("ref", ["#/components/schemas/A", "#a", "https://names.example/a"])
    def test_a_schema_that_is_only_itself_is_reported(self, load, ref):
        """No value can be judged by it."""
        contract = load(
            f"components: {{schemas: {{A: {{$anchor: a, $id: 'https://names.example/a', $ref: '{ref}'}}}}}}"
        )
        assert {one.rule for one in contract.faults} <= {"circular-ref", "dangling-ref"}
        assert contract.faults


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("jsonSchemaDialect: https://dialects.example/mine\npaths: {}", "c.yaml:3:1"),
        ("components: {schemas: {A: {$schema: https://dialects.example/mine}}}", "c.yaml:3:28"),
    ],
)
def test_an_unknown_dialect_is_refused_at_its_place(load, text, place):
    """Its keywords may mean anything."""
    (fault,) = load(text).faults
    assert (str(fault.where), fault.rule) == (place, "schema-dialect")


class TestPathItems:
    """Path Item Objects that refer to others."""

    def test_have_what_is_next_to_their_reference(self, load):
        """OpenAPI 3.1.1, "Path Item Object", `$ref`."""
        contract = load(
            f"""
            paths:
              /a: {{$ref: '#/components/pathItems/Shared', get: {TAKEN}}}
              /b: {{$ref: 'other.yaml#/shared', get: {TAKEN}}}
            components: {{pathItems: {{Shared: {{post: {TAKEN}}}}}}}
            """,
            other=f"shared: {{put: {TAKEN}}}",
        )

        assert [str(one) for one in contract.operations] == ["GET /a", "POST /a", "GET /b", "PUT /b"]
        assert contract.faults == ()

    @pytest.mark.parametrize("ref", ["#/components/pathItems/Shared", "other.yaml#/shared"])
    def test_are_refused_where_both_have_a_field(self, load, ref):
        """The specification says that the behaviour is undefined."""
        contract = load(
            f"""
            paths: {{/a: {{$ref: '{ref}', get: {TAKEN}}}}}
            components: {{pathItems: {{Shared: {{get: {TAKEN}}}}}}}
            """,
            other=f"shared: {{get: {TAKEN}}}",
        )

        assert [one.rule for one in contract.faults] == ["path-item-collision"]
        assert str(contract.faults[0].where).startswith("c.yaml:4:")


def test_media_types_may_be_shared(load):
    """OpenAPI 3.2, "Components Object", `mediaTypes`."""
    contract = load(
        """
        paths:
          /a:
            post:
              requestBody: {content: {application/json: {$ref: '#/components/mediaTypes/Text'}}}
              responses: {'204': {description: taken}}
        components: {mediaTypes: {Text: {schema: {const: a}}}}
        """
    )

    assert contract.operations[0].body.content == {"application/json": {"enum": ["a"]}}


def test_methods_of_any_name_are_operations(load):
    """OpenAPI 3.2, "Path Item Object", `query` and `additionalOperations`."""
    contract = load(f"paths: {{/a: {{query: {TAKEN}, additionalOperations: {{COPY: {TAKEN}}}}}}}")
    assert [str(one) for one in contract.operations] == ["QUERY /a", "COPY /a"]
    assert [one.function for one in contract.operations] == ["query_a", "copy_a"]
    assert [contract.raw(one)["responses"].keys() for one in contract.operations] == [{"204"}, {"204"}]


def test_a_cycle_of_path_items_ends(load):
    """The way to a definition must end, even where there is none."""
    contract = load(
        f"""
        paths: {{/a: {{$ref: '#/components/pathItems/A', get: {TAKEN}}}}}
        components: {{pathItems: {{A: {{$ref: '#/components/pathItems/B', summary: s}}, B: {{$ref: '#/components/pathItems/A'}}}}}}
        """
    )

    assert {one.rule for one in contract.faults} == {"circular-ref"}


@pytest.mark.parametrize(
    ("name", "hint"), [("copy", "write 'COPY'"), ("Copy", "write 'COPY'"), ("FETCH", "use one of ACL,")]
)
def test_a_method_that_no_request_can_have_is_an_error(load, name, hint):
    """Methods are case-sensitive (RFC 9110, section 9.1), and the names of additional operations are methods."""
    contract = load(f"paths: {{/a: {{additionalOperations: {{{name}: {TAKEN}}}}}}}")
    assert contract.operations == ()
    assert [one.rule for one in contract.faults] == ["unknown-method"]
    assert hint in contract.faults[0].message
