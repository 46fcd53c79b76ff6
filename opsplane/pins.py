"""Whether a release's models stay what they are: a version rather than an alias, and not about to be retired."""

import re
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from functools import lru_cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from opsplane import yamlfile
from opsplane.release import Release

TABLE = Path(__file__).parent / "models.yaml"
NEAR = timedelta(days=90)
"""So long before its retirement a model raises an alert."""

_MOVES = re.compile(r"(^|[-:@])(latest|default|stable)$")
_UNDATED = re.compile(r"-(preview|exp|experimental)$")
_SIZE = re.compile(r"\d+(\.\d+)?[bmk]|\d+x\d+b")  # parameters or context, as in 8b, 8x7b, 128k
_DATE = re.compile(r"-(\d{4}-\d{2}-\d{2}|\d{4}|\d{8})$")
_THREE_DIGITS = re.compile(r"gemini-(1\.\d|2\.0)-(?!.*-\d{3}$)")


class Severity(StrEnum):
    """What a problem means for a release that is to serve everybody."""

    REFUSE = "refuse"
    WARN = "warn"


@dataclass(frozen=True)
class Problem:
    """Something about a release's models, in one sentence."""

    severity: Severity
    field: str  # of the release: models.flash, models.pro, lineage.base
    sentence: str


class Standing(StrEnum):
    """How far off a model's retirement is."""

    RETIRED = "retired"
    NEAR = "near"
    FINE = "fine"


class Row(BaseModel):
    """One model of the table; `earliest` where the provider promises no more than that it stays until then."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z_]+:.+$")
    retires: date
    earliest: bool = False
    source: str = Field(min_length=1)
    read: date


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    models: tuple[Row, ...]


@dataclass(frozen=True)
class Retirement:
    """When a model retires, as its provider says, and how that stands on a day."""

    model: str
    row: Row
    standing: Standing

    @property
    def sentence(self) -> str:
        """The whole of it in one sentence, with where the date stands."""
        day, row = self.row.retires.isoformat(), self.row
        told = {
            Standing.RETIRED: f"{self.model} was retired on {day}",
            Standing.NEAR: f"{self.model} {'may be retired from' if row.earliest else 'is retired on'} {day}",
            Standing.FINE: f"{self.model} stays until {day}{' at least' if row.earliest else ''}",
        }[self.standing]
        return f"{told} ({row.source}, read {row.read.isoformat()})."


def pinned(name: str) -> str:
    """Why a model's name stands for whatever its provider puts behind it; empty for a version that stays."""
    provider, _, model = name.partition(":")
    model = model.rpartition("/")[2].lower()
    if provider == "embedded":
        return ""
    for moves, reason in (
        (_MOVES.search(model), "is an alias that moves to newer versions"),
        (provider == "ollama" and ":" not in model, "has no tag, and that means :latest"),
        (_UNDATED.search(model), "is a preview without a date and changes under its name"),
        (not re.search(r"\d", _SIZE.sub("", model)), "names no version"),
        (provider == "openai" and not _DATE.search(model), "names no snapshot by its date"),
        (_THREE_DIGITS.match(model), "names no version by its three digits"),
    ):
        if moves:
            return f"{name} {reason}."
    return ""


def retirement(name: str, today: date) -> Retirement | None:
    """When a model retires; None where the table does not know it."""
    provider, _, model = name.partition(":")
    wanted = f"{'google_genai' if provider == 'google_vertexai' else provider}:{model.rpartition('/')[2]}"
    row = _rows().get(wanted)
    return Retirement(name, row, _standing(row, today)) if row else None


def check(release: Release, today: date) -> list[Problem]:
    """Everything that speaks against these models on this day."""
    models = {"models.flash": release.models.flash.name, "models.pro": release.models.pro.name}
    problems: list[Problem] = []
    for field, name in models.items():
        if alias := pinned(name):
            problems.append(Problem(Severity.REFUSE, field, alias))
        problems += _leaving(field, name, today)
        if release.tested_with and name not in release.tested_with:
            problems.append(Problem(Severity.WARN, field, f"{name} is not among the models it was tested with."))
    if release.lineage:  # a tuned model goes when the model it was tuned on goes
        problems += _leaving("lineage.base", release.lineage.base, today)
    return problems


def _leaving(field: str, name: str, today: date) -> list[Problem]:
    found = retirement(name, today)
    if found is None or found.standing is Standing.FINE:
        return []
    severity = Severity.REFUSE if found.standing is Standing.RETIRED else Severity.WARN
    return [Problem(severity, field, found.sentence)]


def _standing(row: Row, today: date) -> Standing:
    if today > row.retires and not row.earliest:
        return Standing.RETIRED
    return Standing.NEAR if row.retires - today <= NEAR else Standing.FINE


@lru_cache(maxsize=1)
def _rows() -> dict[str, Row]:
    return {row.name: row for row in yamlfile.read(TABLE, _Table).models}
