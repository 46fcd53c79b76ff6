"""Some cells of the fault matrix, of every call: what may never happen, and whether docs/faults.md tells what does."""

import re

import pytest

from tests.vertex import matrix
from tests.vertex.faults import Kind
from tests.vertex.matrix import CALLS, TABLE, Call, Cell

# google-genai inherits from aiohttp's session, which aiohttp discourages; that is between the two of them
pytestmark = pytest.mark.filterwarnings("ignore:Inheritance class AiohttpClientSession:DeprecationWarning")
STRIDE = 5
HANGING = "Gemini everywhere"


def chosen(call: Call, fault: str) -> bool:
    """Every fifth fault of a call, beginning elsewhere at each; what hangs only where everything does."""
    if fault == Kind.HANGS.value:
        return call.name == HANGING
    return (call.columns.index(fault) + CALLS.index(call)) % STRIDE == 0 or len(call.columns) == 1


@pytest.fixture(scope="module")
def cells() -> list[Cell]:
    return matrix.run(chosen)


def test_no_fault_at_any_call_does_what_may_not_be(cells: list[Cell]) -> None:
    """An exception, a turn off the record, a sentence not checked, a bill booked twice or not, a late start."""
    assert [(one.call, one.fault, one.problems) for one in cells if one.problems] == []
    assert {one.call for one in cells} == {call.name for call in CALLS}


def test_what_happens_is_what_the_docs_tell(cells: list[Cell]) -> None:
    page = TABLE.read_text(encoding="utf-8")
    for call in CALLS:
        told = page.partition(matrix.heading(call))[2].partition("\n\n")[0]
        assert [one.line for one in cells if one.call == call.name and one.line not in told] == []


def test_the_docs_tell_every_fault_of_every_call() -> None:
    page = TABLE.read_text(encoding="utf-8")
    for call in CALLS:
        lines = page.partition(matrix.heading(call))[2].partition("\n\n")[0]
        assert re.findall(r"^\| ([^|]+) \|", lines, re.MULTILINE) == list(call.columns), call.name
