from typing import Any

import pytest

from tests.vertex.gemini_schema import fits, value

SCHEMAS: list[dict[str, Any]] = [
    {},
    {"type": "OBJECT", "properties": {"a": {"type": "STRING", "enum": ["x", "y"]}}, "required": ["a"]},
    {"type": "object", "properties": {"n": {"type": "integer", "minimum": 1, "maximum": 5}}, "required": ["n"]},
    {"type": "array", "items": {"type": "number"}, "minItems": 3},
    {"anyOf": [{"type": "null"}, {"type": "boolean"}]},
    {"type": ["string", "null"], "maxLength": 4},
    {"$defs": {"T": {"type": "object", "properties": {"next": {"$ref": "#/$defs/T"}}}}, "$ref": "#/$defs/T"},
    {"$defs": {"T": {"$ref": "#/$defs/T"}}, "$ref": "#/$defs/T"},
]


@pytest.mark.parametrize("schema", SCHEMAS)
def test_a_made_value_fits_its_schema(schema: dict[str, Any]) -> None:
    assert fits(value(schema, "Some words."), schema)


@pytest.mark.parametrize(
    ("made", "schema"),
    [
        ({}, SCHEMAS[1]),
        ({"a": "z"}, SCHEMAS[1]),
        ({"n": 6}, SCHEMAS[2]),
        ({"n": True}, SCHEMAS[2]),
        (["1"], SCHEMAS[3]),
        ({"b": 1}, {"type": "object", "properties": {}, "additionalProperties": False}),
    ],
)
def test_what_does_not_fit_is_told(made: Any, schema: dict[str, Any]) -> None:
    assert not fits(made, schema)
