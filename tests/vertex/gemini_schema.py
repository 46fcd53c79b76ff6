"""Values that fit a schema, in the form of OpenAPI (`responseSchema`) or of JSON Schema (`responseJsonSchema`)."""

import re
from collections.abc import Mapping
from typing import Any

Schema = Mapping[str, Any]

_CHECK = re.compile(r"\b[0-9a-f]{24}\b")
_DEEPEST = 12
_TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
    "null": (type(None),),
}
_FORMATS = {"date": "2026-11-23", "date-time": "2026-11-23T17:00:00Z", "time": "17:00:00", "email": "a@example.com"}


def value(schema: Schema, words: str, *, depth: int = 0, root: Schema | None = None) -> Any:
    """A value of a schema, always the same; strings are the words where nothing else is asked for."""
    root = schema if root is None else root
    schema = _resolved(schema, root)
    if "const" in schema:
        return schema["const"]
    if schema.get("enum"):
        return schema["enum"][0]
    match _type(schema):
        case "object":
            return _object(schema, words, depth, root)
        case "array":
            items = schema.get("items")
            many = 0 if depth >= _DEEPEST or not items else max(1, int(schema.get("minItems", 1)))
            return [value(items or {}, words, depth=depth + 1, root=root) for _ in range(many)]
        case "integer" | "number" as kind:
            return _number(schema, whole=kind == "integer")
        case "boolean":
            return True
        case "null":
            return None
        case _:
            return _string(schema, words)


def fits(made: Any, schema: Schema, *, depth: int = 0, root: Schema | None = None) -> bool:
    """Whether a value fits, as far as types, enumerations, required fields, items and bounds of numbers go."""
    root = schema if root is None else root
    schema = _resolved(schema, root, made)
    if depth > _DEEPEST or not schema:
        return True
    if made is None and schema.get("nullable"):
        return True
    kind = _type(schema)
    if not isinstance(made, _TYPES[kind]) or (isinstance(made, bool) and kind != "boolean"):
        return False
    if schema.get("enum") and made not in schema["enum"]:
        return False
    match made:
        case dict():
            held = schema.get("properties", {})
            known = not set(made) - set(held) or schema.get("additionalProperties", False) is not False
            inside = (fits(made[name], held[name], depth=depth + 1, root=root) for name in made if name in held)
            return known and not set(schema.get("required", ())) - set(made) and all(inside)
        case list():
            return all(fits(one, schema.get("items") or {}, depth=depth + 1, root=root) for one in made)
        case int() | float():
            return bool(schema.get("minimum", made) <= made <= schema.get("maximum", made))
    return True


def _resolved(schema: Schema, root: Schema, made: Any = None) -> Schema:
    """The schema behind references and alternatives; of these the first that a value fits, or that is not null."""
    for _ in range(_DEEPEST):
        if "$ref" in schema:
            schema = root.get("$defs", {}).get(str(schema["$ref"]).rpartition("/")[2], {})
        elif others := schema.get("anyOf") or schema.get("oneOf"):
            fitting = [one for one in others if made is not None and fits(made, one, depth=1, root=root)]
            real = [one for one in others if str(one.get("type", "")).lower() != "null"]
            schema = (fitting or real or others)[0]
        else:
            return schema
    return {}


def _type(schema: Schema) -> str:
    told = schema.get("type")
    if isinstance(told, list):
        told = next((one for one in told if one != "null"), "null")
    if told:
        return str(told).lower()
    return "object" if "properties" in schema or not schema else "array" if "items" in schema else "string"


def _object(schema: Schema, words: str, depth: int, root: Schema) -> dict[str, Any]:
    held = schema.get("properties", {})
    wanted = (
        held if depth < _DEEPEST // 2 else {name: held[name] for name in schema.get("required", ()) if name in held}
    )
    if depth >= _DEEPEST:
        return {}
    check = _CHECK.findall(words)
    return {
        name: check[-1] if name == "check" and check else value(one, words, depth=depth + 1, root=root)
        for name, one in wanted.items()
    }


def _number(schema: Schema, *, whole: bool) -> float:
    """The middle of the bounds, or what is nearest to 1."""
    least, most = schema.get("minimum"), schema.get("maximum")
    if least is not None and most is not None:
        middle = (least + most) / 2
        return int(middle) if whole else middle
    found = max(1, least) if least is not None else min(1, most) if most is not None else 1
    return int(found) if whole else float(found)


def _string(schema: Schema, words: str) -> str:
    if schema.get("format") in _FORMATS:
        return _FORMATS[str(schema["format"])]
    return words[: int(schema.get("maxLength", 2_000))].ljust(int(schema.get("minLength", 0)), ".")
