from collections.abc import Iterator
from pathlib import Path

import pytest

from assistant import commands
from assistant.desk import Desk
from assistant.panels import Panel
from opsplane.access import Actor
from opsplane.control_events import Act
from opsplane.document_events import DocumentsServed, DocumentWithdrawn
from opsplane.errors import Conflict, InvalidRequest, NotFound, Refused
from tests import fakes
from tests.assistant import shelves
from tests.assistant.shelves import SPEC


@pytest.fixture
def record_url(tmp_path: Path) -> str:
    """One kind of record is enough here: what is on it is tested where it is written."""
    return f"sqlite:///{tmp_path / 'record.db'}"


@pytest.fixture(scope="module")
def stocked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shelves.stocked(tmp_path_factory.mktemp("shelves"))


@pytest.fixture
def indexed(desk: Desk, stocked: Path) -> Iterator[Desk]:
    with shelves.opened(desk, stocked) as opened:
        yield opened


async def run(desk: Desk, text: str, actor: Actor = fakes.OPERATOR) -> str:
    return (await commands.run(text, actor, desk)).text.replace("\\", "")


async def test_every_index_is_listed_with_what_it_holds_and_who_needs_it(indexed: Desk) -> None:
    told = await run(indexed, "/indexes")
    assert f"| {SPEC.id} | 5 | 5 | g00002-" in told
    assert f"cut at {SPEC.chunking.min_tokens}–{SPEC.chunking.max_tokens} word pieces, edition 1, 5 windows" in told
    assert "serves since 2026-11-22 17:00:00 UTC. Evaluated: no." in told
    assert "Named by test-2@" in told
    assert "serves customers from it" in told


async def test_one_index_tells_what_it_served_and_what_changed(indexed: Desk) -> None:
    told = await run(indexed, f"/index {SPEC.id[:25]}")
    assert "1 changed: cards@1" in told
    assert "5 added: cards@1, fees@1, fees@2, fees@3, waivers@1" in told
    assert "It was not evaluated yet" in told
    assert "serves now" in told


async def test_why_tells_what_was_used_and_what_would_have_matched(indexed: Desk) -> None:
    panel = await commands.run("/why What is the overdraft fee?", fakes.OPERATOR, indexed)
    told = panel.text.replace("\\", "")
    used, barred = told.split("Scores as high")
    assert "| 1 | fees@2 |" in used
    assert "in passage 1" in used
    assert "not in force before 2027-01-01" in barred
    assert "not in force after 2026-06-30" in barred
    assert "for another audience: staff" in barred
    assert panel.download is not None


async def test_why_a_withdrawn_document_is_not_used(indexed: Desk) -> None:
    withdrawn: Act = DocumentWithdrawn(document="fees@2", reason="wrong figure")
    indexed.ledger.append_now(withdrawn, fakes.OPERATOR)  # type: ignore[arg-type]  # every act is an event
    told = await run(indexed, "/why overdraft fee")
    assert "withdrawn by an operator" in told
    assert "fees@2" not in told.split("Scores as high")[0]


async def test_why_as_of_a_day_reads_what_served_then(indexed: Desk) -> None:
    told = await run(indexed, "/why foreign transaction fee of the travel card as-of=2026-11-15")
    assert "generation g00001-" in told
    assert "generation g00002-" in await run(indexed, "/why travel card")
    assert "generation g00001-" in await run(indexed, f"/why travel card generation=g1 index={SPEC.id}")
    with pytest.raises(
        NotFound, match=r"served nothing yet on 2026-03-03. Its first generation served from 2026-11-13"
    ):
        await run(indexed, "/why travel card as-of=2026-03-03")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("/why", "Which question?"),
        ("/why fee as-of=tomorrow", "a day is written like 2026-03-03"),
        ("/index", "Write /index <id>"),
        ("/index all three", "Write /index <id>"),
    ],
)
async def test_what_cannot_be_read_is_told(indexed: Desk, text: str, told: str) -> None:
    with pytest.raises(InvalidRequest, match=told):
        await run(indexed, text)


async def test_an_unknown_index_is_told_with_the_nearest(indexed: Desk) -> None:
    with pytest.raises(NotFound, match=f"There is no index 'all-MiniLM-9'. Did you mean {SPEC.id}"):
        await run(indexed, "/index all-MiniLM-9")
    with pytest.raises(NotFound, match="has no generation 'g9'"):
        await run(indexed, "/why fee generation=g9")


async def test_customers_see_nothing_of_it(indexed: Desk) -> None:
    for text in ("/indexes", "/index a", "/why fee", "/index a restore g1"):
        with pytest.raises(Refused):
            await run(indexed, text, fakes.CUSTOMER)


async def test_without_documents_the_commands_say_where_to_ask(desk: Desk) -> None:
    with pytest.raises(Conflict, match="The documents are not open here"):
        await run(desk, "/indexes")


async def restore(desk: Desk, name: str = "g1", answer: str = "yes") -> Panel | None:
    told = await run(desk, f'/index {SPEC.id} restore {name} reason="case 4711"')
    assert "1 changed: cards@1" in told
    return await commands.go_on(answer, fakes.OPERATOR, desk, "")


async def test_an_earlier_generation_serves_again_after_a_yes(desk: Desk, tmp_path: Path) -> None:
    with shelves.opened(desk, shelves.stocked(tmp_path)) as indexed:
        panel = await restore(indexed)
        assert panel is not None
        assert "### Done" in panel.text
        event = indexed.ledger.events(["documents_served"])[-1].event
        assert isinstance(event, DocumentsServed)
        assert (event.why, event.changed, event.documents) == ("restored: case 4711", ("cards@1",), 5)
        assert indexed.library is not None
        assert indexed.library.generation(SPEC.id) == event.generation
        assert "Somebody went back to g00001" in await run(indexed, f"/index {SPEC.id}")
        with pytest.raises(Conflict, match="serves already"):
            await restore(indexed)


async def test_nothing_is_restored_without_a_yes_or_where_the_library_moved_meanwhile(
    desk: Desk, tmp_path: Path
) -> None:
    folder = shelves.stocked(tmp_path)
    with shelves.opened(desk, folder) as indexed:
        assert indexed.library is not None
        before = indexed.library.generation(SPEC.id)
        await restore(indexed, answer="no")
        assert indexed.library.generation(SPEC.id) == before
        await run(indexed, f'/index {SPEC.id} restore g1 reason="case 4711"')
        (tmp_path / "corpus" / "cards.txt").write_text("Travel card\nGone.\n")
        shelves.bring(tmp_path / "corpus", folder, shelves.NOON)
        with pytest.raises(Conflict, match=r"g00003-.* serves by now"):
            await commands.go_on("yes", fakes.OPERATOR, indexed, "")
