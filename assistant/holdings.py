"""What the library holds on a day, as people look it up: in force, waiting for its day, ended, withdrawn."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from pathlib import Path

from knowledge.catalogue import Catalogue, Service
from knowledge.document import Document
from opsplane.errors import Conflict, NotFound
from opsplane.state import Standstill

LATELY = timedelta(days=90)
"""How long a document that has ended is listed."""


class Standing(StrEnum):
    """Whether a document is answered from on a day, and if not, why."""

    IN_FORCE = "in force"
    WAITS = "waits for its day"
    ENDED = "ended lately"
    LONG_OVER = "ended long ago"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True)
class Holding:
    """A version of a document; `passages` is into how many it was cut, `withheld` since when and why it is not used."""

    document: Document
    passages: int
    standing: Standing
    withheld: Standstill | None = None


@dataclass(frozen=True)
class Holdings:
    """What a generation holds, judged by the day `on`. `others` served on the same day, before `service` did."""

    index: str
    service: Service
    on: date
    rows: tuple[Holding, ...]
    others: tuple[Service, ...] = ()

    def matching(self, word: str) -> "Holdings":
        """Those whose name, title, kind, audience, owner or source holds a word, whatever its case."""
        wanted = word.lower()
        return Holdings(
            self.index, self.service, self.on, tuple(one for one in self.rows if wanted in _words(one)), self.others
        )

    def standing(self, standing: Standing) -> list[Holding]:
        """Those that stand like this."""
        return [one for one in self.rows if one.standing is standing]


def names(library: Path) -> frozenset[str]:
    """Every document (`fees@2`) that some index serves now; raises `Conflict` where there is no library."""
    with _catalogue(library) as catalogue:
        serving = [catalogue.generation(catalogue.current(index)) for index in catalogue.indexes()]
        return frozenset(name for one in serving if one for name in one.documents)


def documents(library: Path, index: str) -> list[Document]:
    """The documents that an index serves now, of the first index where there is none of that name."""
    with _catalogue(library) as catalogue:
        record = catalogue.generation(catalogue.current(_index(catalogue, index)))
        return list(catalogue.documents(record.documents.values()).values()) if record else []


def held(
    library: Path, index: str, on: date, withheld: Mapping[str, Standstill], day: tuple[float, float] | None = None
) -> Holdings:
    """What an index holds, or held at the end of a day that began and ended at these times (seconds since 1970).

    Raises `NotFound` where nothing was served by then, and `Conflict` where there is no library.
    """
    with _catalogue(library) as catalogue:
        chosen = _index(catalogue, index)
        services = [one for one in catalogue.services(chosen) if day is None or one.since <= day[1]]
        if not services:
            first = next(iter(catalogue.services(chosen)), None)
            since = f" The first documents were served from {_day(first.since)} on." if first else ""
            raise NotFound(f"Nothing was answered from on that day.{since}")
        service = services[-1]
        record = catalogue.generation(service.generation)
        if record is None:
            raise NotFound(f"What was served then ({service.generation}) is not on record any more.")
        found = catalogue.documents(record.documents.values())
        cuts = catalogue.cuts(chosen, record.documents.values())
    rows = [_holding(one, len(cuts.get(mark, ())), on, withheld) for mark, one in found.items()]
    rows.sort(key=lambda one: (one.document.id, one.document.effective_from, one.document.version))
    return Holdings(chosen, service, on, tuple(rows), tuple(_others(services, day)))


def _holding(document: Document, passages: int, on: date, withheld: Mapping[str, Standstill]) -> Holding:
    stopped = withheld.get(document.name) or withheld.get(document.id)
    return Holding(document, passages, Standing.WITHDRAWN if stopped else _standing(document, on), stopped)


def _standing(document: Document, on: date) -> Standing:
    if document.effective_from > on:
        return Standing.WAITS
    if document.effective_to is None or document.effective_to >= on:
        return Standing.IN_FORCE
    return Standing.ENDED if on - document.effective_to <= LATELY else Standing.LONG_OVER


def _others(services: Sequence[Service], day: tuple[float, float] | None) -> Iterator[Service]:
    """What was served on the day too: what began on it before the last, and what served as it began."""
    if day is None or services[-1].since <= day[0]:
        return
    for place, one in enumerate(services[:-1]):
        if services[place + 1].since > day[0]:
            yield one


def _words(one: Holding) -> str:
    document = one.document
    parts = document.name, document.title, document.kind, document.audience, document.owner, document.source
    return "\n".join(parts).lower()


def _index(catalogue: Catalogue, wanted: str) -> str:
    known = catalogue.indexes(retired=True)
    return wanted if wanted in known else next(iter(catalogue.indexes()), "")


def _day(at: float) -> date:
    return date.fromtimestamp(at)  # noqa: DTZ012 - a hint for people


@contextmanager
def _catalogue(library: Path) -> Iterator[Catalogue]:
    path = library / "catalogue.db"
    if not path.exists():
        raise Conflict("There is no library yet. opsplane ingest fills it.")
    with closing(Catalogue(path)) as catalogue:
        yield catalogue
