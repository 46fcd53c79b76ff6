"""Releases read from files, chats and exports, and put on the record: once, whole, and never another way."""

import asyncio
import json
from pathlib import Path

import pytest

from opsplane import catalogue, registry
from opsplane.access import Actor
from opsplane.errors import Conflict, InvalidRelease, NotFound, Refused
from opsplane.events import CommandRefused, CommandRun, ReleaseRegistered
from opsplane.ledger.store import Ledger
from opsplane.plane import Plane
from tests import fakes

RELEASES = Path(registry.__file__).parents[1] / "assistant" / "releases"
TEXT = (RELEASES / "heron-6.yaml").read_text(encoding="utf-8")
HERON = registry.load(RELEASES / "heron-6.yaml")
ONE = fakes.release()
TWO = fakes.release(id="test-2", style={"sentences": 2})


@pytest.fixture
def plane(ledger: Ledger) -> Plane:
    plane = Plane(ledger)
    plane.configure({"test-1": ONE}, "test-1")
    return plane


def refusal(ledger: Ledger) -> str:
    (entry,) = ledger.events(["command_refused"])
    assert isinstance(entry.event, CommandRefused)
    return entry.event.reason


@pytest.mark.parametrize("actor", [fakes.OPERATOR, fakes.APPROVER])
async def test_a_release_is_registered_with_its_very_bytes(plane: Plane, ledger: Ledger, actor: Actor) -> None:
    done = await catalogue.register(plane, ledger, TWO, actor=actor, source="test-2.yaml")
    assert (done.new, done.problems) == (True, ())
    entry = ledger.events(["release_registered"])[-1]
    assert entry.actor == actor
    assert entry.event == ReleaseRegistered(release="test-2", digest=TWO.digest, canonical=TWO.canonical().decode())
    assert plane.state.releases[TWO.digest] == TWO
    assert plane.stable() == ONE
    (run,) = ledger.events(["command_run"])
    assert run.event == CommandRun(command="register", arguments=f"{TWO.short} from test-2.yaml")


async def test_the_same_release_again_writes_nothing(plane: Plane, ledger: Ledger) -> None:
    done = await catalogue.register(plane, ledger, ONE, actor=fakes.OPERATOR, source="test-1.yaml")
    assert not done.new
    assert ledger.count(["release_registered"]) == 1


async def test_a_changed_release_under_a_used_id_is_refused(plane: Plane, ledger: Ledger) -> None:
    changed = ONE.model_copy(update={"note": "one word changed"})
    with pytest.raises(Conflict, match="another id") as caught:
        await catalogue.register(plane, ledger, changed, actor=fakes.OPERATOR, source="test-1.yaml")
    assert ONE.short in str(caught.value)
    assert changed.short in str(caught.value)
    assert ledger.count(["release_registered"]) == 1
    assert refusal(ledger) == str(caught.value)


async def test_of_two_who_use_one_id_at_once_one_wins_and_the_other_is_told(plane: Plane, ledger: Ledger) -> None:
    rivals = [fakes.release(id="test-2", note=note) for note in ("mine", "yours", "theirs")]
    deeds = [catalogue.register(plane, ledger, one, actor=fakes.OPERATOR, source="chat") for one in rivals]
    ended = await asyncio.gather(*deeds, return_exceptions=True)
    assert sorted(type(one).__name__ for one in ended) == ["Conflict", "Conflict", "Registration"]
    assert [one.id for one in plane.state.registered.values()] == ["test-1", "test-2"]


@pytest.mark.parametrize("actor", [fakes.CUSTOMER, fakes.REVIEWER])
async def test_who_is_no_operator_registers_and_compares_nothing(plane: Plane, ledger: Ledger, actor: Actor) -> None:
    with pytest.raises(Refused):
        await catalogue.register(plane, ledger, TWO, actor=actor, source="test-2.yaml")
    with pytest.raises(Refused):
        await catalogue.diff(plane, ledger, "test-1", actor=actor)
    assert ledger.count(["release_registered"]) == 1
    assert ledger.count(["command_refused"]) == 2


async def test_a_release_whose_index_does_not_exist_is_refused(plane: Plane, ledger: Ledger) -> None:
    with pytest.raises(
        InvalidRelease, match=r"test-2: retrieval\.index: there is no index 'test' \(there are: other\)"
    ):
        await catalogue.register(plane, ledger, TWO, actor=fakes.OPERATOR, source="a file", indexes=["other"])
    assert ledger.count(["release_registered"]) == 1


async def test_what_speaks_against_its_models_is_told(plane: Plane, ledger: Ledger) -> None:
    model = {"name": "google_genai:gemini-2.5-flash"}
    old = fakes.release(id="test-3", models={"flash": model, "pro": model})
    done = await catalogue.register(plane, ledger, old, actor=fakes.OPERATOR, source="test-3.yaml")
    assert [one.field for one in done.problems] == ["models.flash", "models.pro"]


async def test_one_release_is_compared_with_the_stable_and_two_with_each_other(plane: Plane, ledger: Ledger) -> None:
    await catalogue.register(plane, ledger, TWO, actor=fakes.OPERATOR, source="test-2.yaml")
    alone = await catalogue.diff(plane, ledger, "test-2", actor=fakes.OPERATOR)
    assert (alone.before, alone.after) == (ONE, TWO)
    back = await catalogue.diff(plane, ledger, "test-2", "test-1", actor=fakes.OPERATOR)
    assert (back.before, back.after) == (TWO, ONE)


async def test_an_unknown_release_is_refused_with_the_nearest_and_recorded(plane: Plane, ledger: Ledger) -> None:
    with pytest.raises(NotFound, match="Did you mean test-1"):
        await catalogue.diff(plane, ledger, "tset-1", actor=fakes.OPERATOR)
    assert "Did you mean test-1" in refusal(ledger)


@pytest.mark.parametrize("name", ["heron-6", "heron-6.yaml"])
def test_a_file_is_read_by_id_or_name(name: str) -> None:
    assert catalogue.load_file(RELEASES, name) == HERON


@pytest.mark.parametrize("name", ["herno-6", "hero-6.yaml"])
def test_a_mistyped_file_is_told_the_nearest(name: str) -> None:
    with pytest.raises(NotFound, match=r"Did you mean heron-6"):
        catalogue.load_file(RELEASES, name)


@pytest.mark.parametrize("name", ["", ".", "..", "../releases/heron-6", "/etc/passwd", "x" * 5_000, "\x00"])
def test_nothing_outside_the_folder_is_read(name: str) -> None:
    with pytest.raises(NotFound, match="There is no release file"):
        catalogue.load_file(RELEASES, name)


def test_a_file_that_holds_another_id_is_registered_by_its_own_name_only(tmp_path: Path) -> None:
    (tmp_path / "heron-7.yaml").write_text(TEXT, encoding="utf-8")
    with pytest.raises(InvalidRelease, match="the file holds 'heron-6'"):
        catalogue.load_file(tmp_path, "heron-7")
    assert catalogue.load_file(tmp_path, "heron-7.yaml") == HERON


@pytest.mark.parametrize("name", ["heron-6.yaml", "", "../../heron.yaml", "..", "a b/ü?.yaml", "x" * 999])
def test_a_text_is_read_as_a_file_is_whatever_it_is_called(name: str) -> None:
    assert catalogue.from_text(TEXT, name) == HERON


def test_a_mistake_in_a_text_is_told_with_line_and_field() -> None:
    with pytest.raises(InvalidRelease, match=r"dropped\.yaml: line \d+: retreival: Extra inputs"):
        catalogue.from_text(TEXT.replace("retrieval:", "retreival:"), "dropped.yaml")


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("passages: 6", "passages: 600", r"retrieval\.passages"),
        ("packs: [retail-us,", "packs: [retail-de,", "there is no pack 'retail-de'"),
        ("note: Extractive", "author: Somebody\nnote: Extractive", "'author' is written twice"),
        ("sentences: 3", "sentences: " + "9" * 5_000, "cannot be read"),
        ("sentences: 3", "sentences: 2026-13-41", "cannot be read"),
        ("sentences: 3", "sentences: !!python/object/apply:os.getcwd []", "could not determine a constructor"),
        ("sentences: 3", "? [a]\n  : b", r"line \d+: a field's name must be a word"),
        ("sentences: 3", "sentences: " + "[" * 5_000, "nested too deeply"),
        ("note: Extractive", 'note: "\\ud800"  # Extractive', "cannot be written down"),
    ],
)
def test_what_no_release_can_hold_is_refused_in_words(old: str, new: str, told: str) -> None:
    assert old in TEXT
    with pytest.raises(InvalidRelease, match=rf"(?s)^bad\.yaml: .*{told}"):
        catalogue.from_text(TEXT.replace(old, new, 1), "bad.yaml")


@pytest.mark.parametrize("text", ["", "just words", "\x00", "\ud800", "- a\n- b", "{" * 5_000])
def test_a_text_that_is_no_release_is_refused(text: str) -> None:
    with pytest.raises(InvalidRelease):
        catalogue.from_text(text, "bad.yaml")


def test_too_long_a_text_is_not_read() -> None:
    with pytest.raises(InvalidRelease, match="at most 256 KB"):
        catalogue.from_text(TEXT + "#" * catalogue.LARGEST, "big.yaml")


def test_of_a_thousand_mistakes_the_first_are_told() -> None:
    with pytest.raises(InvalidRelease) as caught:
        catalogue.from_text("\n".join(f"field{number}: 1" for number in range(1_000)), "bad.yaml")
    assert len(str(caught.value).splitlines()) == 13
    assert str(caught.value).endswith("more")


@pytest.mark.parametrize("digest", ["", HERON.digest, HERON.digest[:12], HERON.digest[:12].upper()])
def test_an_export_is_read_back_as_the_same_release(digest: str) -> None:
    assert catalogue.from_canonical(HERON.canonical(), "heron-6.json", digest) == HERON


def test_an_export_whose_bytes_were_changed_is_refused() -> None:
    changed = HERON.canonical().replace(b"Assistant team", b"Somebody elses")
    with pytest.raises(InvalidRelease, match="they were changed"):
        catalogue.from_canonical(changed, "heron-6.json", HERON.digest)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "Invalid JSON"),
        (b"\xff\xfe", "Invalid JSON"),
        (b"[]", "should be an object"),
        (b"[" * 9_999, "Invalid JSON"),
        (json.dumps(json.loads(HERON.canonical()), indent=2).encode(), "not the very bytes"),
        (HERON.canonical() + b"\n", "not the very bytes"),
        (HERON.canonical().replace(b'"author"', b'"autor"'), "author: Field required"),
        (b" " * (catalogue.LARGEST_EXPORT + 1), "at most 4 MB"),
    ],
)
def test_bytes_that_are_no_export_are_refused(content: bytes, told: str) -> None:
    with pytest.raises(InvalidRelease, match=rf"heron\.json: .*{told}"):
        catalogue.from_canonical(content, "heron.json")
