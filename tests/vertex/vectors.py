"""What both vector services are made of: points with exact search, and operations that take a number of polls."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.vertex.cloud import Cloud, Refusal

NUMBER = "418020526417"
"""What Google calls the project in its answers."""
_START = datetime(2026, 11, 1, tzinfo=UTC)


@dataclass
class Points:
    """Vectors by id, compared one by one."""

    width: int
    held: dict[str, NDArray[np.float32]] = field(default_factory=dict)
    writes: int = 0
    _matrix: NDArray[np.float32] | None = None

    def put(self, id_: str, values: Sequence[float]) -> None:
        """Put a vector in or in another's place; another width is refused."""
        self.check(values)
        self.held[id_] = np.array(values, np.float32)
        self.writes += 1
        self._matrix = None

    def check(self, values: Sequence[float]) -> None:
        """Raise `Refusal` for another width."""
        if len(values) != self.width:
            raise Refusal(
                400,
                "INVALID_ARGUMENT",
                f"Embedding has invalid dimensions: {len(values)}. The index expects {self.width}.",
            )

    def drop(self, id_: str) -> None:
        """Take a vector out."""
        self.held.pop(id_, None)
        self._matrix = None

    def nearest(self, values: Sequence[float], count: int) -> list[tuple[str, float]]:
        """Ids and dot products, highest first."""
        self.check(values)
        if self._matrix is None:
            self._matrix = np.array(list(self.held.values()), np.float32).reshape(-1, self.width)
        products = self._matrix @ np.array(values, np.float32)
        ids = list(self.held)
        return [(ids[place], float(products[place])) for place in np.argsort(-products, kind="stable")[:count]]


@dataclass
class Operation:
    """A long operation: what happens at its end, which comes after so many looks."""

    name: str
    left: int
    effect: Callable[[], dict[str, Any]]
    answer: dict[str, Any] | None = None


@dataclass
class Operations:
    """Operations under way; each takes `polls` looks, and `fails` the next one with a message."""

    polls: int = 0
    fails: str = ""
    every: dict[str, Operation] = field(default_factory=dict)

    def begin(self, parent: str, effect: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """Begin one under a resource."""
        name = f"{parent}/operations/vectors-{len(self.every) + 1}"
        self.every[name] = Operation(name, self.polls, effect)
        return self.told(name, looked=False)

    def told(self, name: str, *, looked: bool = True) -> dict[str, Any]:
        """How far one is."""
        one = self.every.get(name)
        if one is None:
            raise Refusal(404, "NOT_FOUND", f"Operation {name} is not found.")
        if self.fails:
            failure, self.fails = self.fails, ""
            one.answer = {"error": {"code": 3, "message": failure}}
        if one.answer is None and one.left <= 0:
            one.answer = {"response": one.effect()}
        if looked:
            one.left -= 1
        return {"name": name, "done": one.answer is not None, **(one.answer or {})}


class Clock:
    """Times of creation: a minute apart."""

    def __init__(self) -> None:
        self._minutes = 0

    def next(self) -> str:
        """The next one, as Google writes it."""
        self._minutes += 1
        return (_START + timedelta(minutes=self._minutes)).strftime("%Y-%m-%dT%H:%M:%SZ")


def permitted(cloud: Cloud, path: dict[str, str], service: str) -> str:
    """The parent of what is asked for, with the project's number; raise `Refusal` for another project."""
    if path["project"] not in (cloud.project, NUMBER):
        raise Refusal(
            403,
            "PERMISSION_DENIED",
            f"Permission '{service}' denied on resource '//{service}/projects/{path['project']}' "
            "(or it may not exist).",
        )
    return f"projects/{NUMBER}/locations/{path['location']}"


def chosen(labels: dict[str, str], wanted: str) -> bool:
    """Whether labels fit a filter such as `labels.a=b` or `labels.a:*`."""
    for part in (one.strip() for one in wanted.split(" AND ")):
        if not part:
            continue
        key, _, value = part.removeprefix("labels.").partition(":" if part.endswith(":*") else "=")
        if key not in labels or value not in ("*", labels[key], f'"{labels[key]}"'):
            return False
    return True
