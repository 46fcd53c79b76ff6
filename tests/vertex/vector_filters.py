"""The filters of Vector Search 2.0: JSON over the payload of an object."""

from collections.abc import Callable
from typing import Any

from tests.vertex.cloud import Refusal

_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "$eq": lambda held, wanted: held == wanted,
    "$ne": lambda held, wanted: held != wanted,
    "$gt": lambda held, wanted: held is not None and held > wanted,
    "$gte": lambda held, wanted: held is not None and held >= wanted,
    "$lt": lambda held, wanted: held is not None and held < wanted,
    "$lte": lambda held, wanted: held is not None and held <= wanted,
    "$in": lambda held, wanted: held in wanted,
    "$nin": lambda held, wanted: held not in wanted,
    "$exists": lambda held, wanted: (held is not None) == wanted,
}


def fits(data: dict[str, Any], wanted: dict[str, Any]) -> bool:
    """Whether a payload fits a filter; raise `Refusal` for one that is none."""
    if not wanted:
        return True
    if len(wanted) != 1:
        raise Refusal(400, "INVALID_ARGUMENT", "Each object of a filter must have exactly one key.")
    ((key, value),) = wanted.items()
    match key:
        case "$and":
            return all(fits(data, one) for one in value)
        case "$or":
            return any(fits(data, one) for one in value)
        case "$not":
            return not fits(data, value)
    ((operator, told),) = value.items()
    if operator not in _COMPARE:
        raise Refusal(400, "INVALID_ARGUMENT", f"Unknown operator {operator} in a filter.")
    return _COMPARE[operator](data.get(key), told)
