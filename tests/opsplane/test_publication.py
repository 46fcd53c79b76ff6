"""Publishing documents by two people, over a library of the test's own: void, cut off, carried on."""

from dataclasses import dataclass, field

import pytest

from opsplane import publication, requests
from opsplane.approval import Request
from opsplane.document_events import DocumentsServed
from opsplane.errors import Conflict, PlaneError
from opsplane.intent import Helm
from opsplane.ledger.store import Ledger
from opsplane.publication import PUBLISH, Flip, Shelves
from opsplane.requests import Actions
from tests import fakes
from tests.opsplane.helms import helm

FLIPS = (Flip("a", "g1", "g3"), Flip("b", "g2", "g4"))


@dataclass
class Library:
    """Two indexes that serve what they are told to; `trouble` is raised in the midst of it."""

    serving: dict[str, str] = field(default_factory=lambda: {"a": "g1", "b": "g2"})
    trouble: PlaneError | None = None

    def void(self, request: Request) -> str:
        moved = any(self.serving[one.index] not in (one.before, one.after) for one in FLIPS)
        return "Void: it moved." if moved else ""

    def publish(self, request: Request) -> tuple[DocumentsServed, ...]:
        for one in FLIPS:
            self.serving[one.index] = one.after
            if self.trouble:
                raise self.trouble
        return tuple(
            DocumentsServed(index=one.index, generation=one.after, before=one.before, why="x", request=request.id)
            for one in FLIPS
        )


def _asked(one: Helm, library: Library) -> tuple[Actions, Request]:
    known = publication.actions(one, Shelves(library.void, library.publish))
    bound = publication.details(FLIPS, report="0" * 64)
    return known, publication.ask(one, known[PUBLISH], "documents", "new", bound, actor=fakes.OPERATOR)


def test_generations_are_read_back_out_of_a_request() -> None:
    assert publication.flips(publication.details(FLIPS, files="2")) == list(FLIPS)


async def test_every_index_is_published_and_recorded_in_the_makers_name(ledger: Ledger) -> None:
    library = Library()
    known, request = _asked(helm(ledger), library)
    await requests.approve(ledger, known, request.id, actor=fakes.APPROVER)
    assert library.serving == {"a": "g3", "b": "g4"}
    assert [one.actor.id for one in ledger.events(["documents_served"])] == ["operator", "operator"]


async def test_what_was_cut_off_is_carried_on_without_a_second_entry(ledger: Ledger) -> None:
    library = Library(trouble=Conflict("the disk is full"))
    known, request = _asked(helm(ledger), library)
    with pytest.raises(Conflict, match="disk"):
        await requests.approve(ledger, known, request.id, actor=fakes.APPROVER)
    library.trouble = None
    ledger.append_now(library.publish(request)[0], fakes.OPERATOR)  # and then it died
    assert len(requests.resume(ledger, known)) == 1
    assert ledger.count(["documents_served"]) == 2
    assert requests.resume(ledger, known) == []


async def test_what_moved_after_the_approval_is_over(ledger: Ledger) -> None:
    library = Library(trouble=Conflict("the disk is full"))
    known, request = _asked(helm(ledger), library)
    with pytest.raises(Conflict):
        await requests.approve(ledger, known, request.id, actor=fakes.APPROVER)
    library.serving["b"] = "g9"
    assert requests.resume(ledger, known) == []
    with pytest.raises(Conflict, match="approved already"):
        await requests.approve(ledger, known, request.id, actor=fakes.APPROVER)


async def test_the_same_is_asked_for_once(ledger: Ledger) -> None:
    one, library = helm(ledger), Library()
    _asked(one, library)
    with pytest.raises(Conflict, match="asked for already"):
        _asked(one, library)
