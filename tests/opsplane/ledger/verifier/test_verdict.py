"""The verifier finds everything that is wrong, says where, goes on after it, and stops at nothing."""

import base64
import random
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks import tampering
from benchmarks.tampering import Author, Record, Row
from opsplane.ledger import verifier
from opsplane.ledger.verifier import NoteError, Report, State, Tree, Violation, verify

AUTHOR = Author(1)
RECORD = AUTHOR.record(130, 20)


def told(violations: tuple[Violation, ...]) -> list[tuple[str, int | None]]:
    return [(one.code, one.row) for one in violations]


def with_row(number: int, *row: Any) -> Record:
    entries: list[Any] = list(RECORD.entries)
    entries[number - 1] = row
    return replace(RECORD, entries=entries)


def with_value(number: int, column: int, value: object) -> Record:
    row = RECORD.entries[number - 1]
    return with_row(number, *row[:column], value, *row[column + 1 :])


def test_a_sound_ledger_is_valid_and_tells_where_to_go_on() -> None:
    report = RECORD.verify()
    assert (report.valid, report.entries, report.size, report.proven, report.pinned) == (True, 130, 130, 130, True)
    assert (report.origin, report.keys, report.remarks) == (AUTHOR.origin, (AUTHOR.key,), ())
    assert report.state is not None
    assert (report.state.size, report.state.hash) == (130, RECORD.entries[-1][10])


def test_every_changed_row_is_told_and_none_else() -> None:
    entries = list(RECORD.entries)
    for number in (5, 6, 40, 77, 130):
        entries[number - 1] = tampering.flipped(entries[number - 1], 9, random.Random(number))
    report = replace(RECORD, entries=entries).verify()
    assert told(report.violations) == [("entry.changed", number) for number in (5, 6, 40, 77, 130)]
    assert report.proven == 130


def test_several_kinds_at_once_are_all_told() -> None:
    entries = list(RECORD.entries)
    entries[9] = tampering.flipped(entries[9], 8, random.Random(1))
    del entries[60:62]
    entries.append(entries[100])
    assert told(replace(RECORD, entries=entries).verify().violations) == [
        ("entry.changed", 10),
        ("entry.missing", 61),
        ("entry.duplicate", 103),
    ]


@pytest.mark.parametrize("column", range(11))
@pytest.mark.parametrize("value", [None, 1.5, True, "a\nb", -(2**80), b"\xff" * 31, [], {}, "\ud800", float("nan")])
def test_a_value_of_the_wrong_form_is_told_at_its_row(column: int, value: object) -> None:
    report = with_value(50, column, value).verify()
    assert {row for _, row in told(report.violations)} == {50}
    assert told(report.violations)[0][0] in ("entry.malformed", "entry.changed")


@pytest.mark.parametrize("row", [None, 7, (), "entry", (1, 2), {"seq": 50}, [None] * 11, (50, *[None] * 10), object()])
def test_what_is_no_row_at_all_is_told_where_it_stands(row: object) -> None:
    entries: list[Any] = list(RECORD.entries)
    entries[49] = row
    report = replace(RECORD, entries=entries).verify()
    assert told(report.violations) == [("entry.malformed", 50)]


def test_garbage_between_two_entries_is_told_and_the_rest_stays_proven() -> None:
    entries: list[Any] = [*RECORD.entries[:50], None, *RECORD.entries[50:]]
    report = replace(RECORD, entries=entries).verify()
    assert told(report.violations) == [("entry.inserted", 51)]
    assert report.proven == 130


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 129),
            st.integers(0, 10),
            st.one_of(st.none(), st.integers(), st.text(max_size=5), st.binary(max_size=40), st.booleans()),
        ),
        min_size=1,
        max_size=6,
    ),
    st.randoms(use_true_random=False),
)
def test_whatever_stands_in_the_rows_the_verifier_reports_and_does_not_crash(
    changes: list[tuple[int, int, object]], rng: random.Random
) -> None:
    entries = list(RECORD.entries)
    for number, column, value in changes:
        entries[number] = (*entries[number][:column], value, *entries[number][column + 1 :])
    if rng.random() < 0.3:
        rng.shuffle(entries)
    changed = repr(entries) != repr(list(RECORD.entries))  # where True is not 1
    assert replace(RECORD, entries=entries).verify().valid is not changed


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 6), st.integers(0, 10**6), st.characters())
def test_a_checkpoint_with_another_letter_is_told(number: int, place: int, letter: str) -> None:
    note = RECORD.checkpoints[number]
    place %= len(note)
    edited = note[:place] + letter + note[place + 1 :]
    notes = [*RECORD.checkpoints[:number], edited, *RECORD.checkpoints[number + 1 :]]
    report = verify(RECORD.entries, notes, [], RECORD.keys)
    assert report.valid is (edited == note)


@pytest.mark.parametrize("note", [None, 5, "", "\n\n", "x", b"bytes", "a\n\n— b c\n", "\ud800\n\n— a AAAA\n"])
def test_what_is_no_checkpoint_is_told(note: Any) -> None:
    report = verify(RECORD.entries, [*RECORD.checkpoints, note], [], RECORD.keys)
    assert told(report.violations) == [("checkpoint.malformed", None)]


def test_a_rewritten_tail_is_told_with_the_interval_it_begins_in() -> None:
    entries = list(RECORD.entries)
    entries[69] = tampering.flipped(entries[69], 9, random.Random(1))
    report = replace(RECORD, entries=tampering.rehashed(entries, 70, 130)).verify()
    assert told(report.violations) == [("checkpoint.root", 61)]
    assert "of entries 61 to 80 some were replaced" in report.violations[0].detail
    assert report.proven == 60


def test_an_entry_replaced_with_its_hash_is_told_by_the_break_after_it() -> None:
    entries = list(RECORD.entries)
    entries[69] = tampering.flipped(entries[69], 9, random.Random(1))
    report = replace(RECORD, entries=tampering.rehashed(entries, 70, 70)).verify()
    assert told(report.violations) == [("checkpoint.root", 70), ("chain.broken", 71)]


def test_entries_cut_off_at_the_end_are_told_by_the_checkpoints() -> None:
    report = replace(RECORD, entries=RECORD.entries[:90]).verify()
    assert told(report.violations) == [("ledger.truncated", 91)]
    assert "entries 91 to 130 are missing" in report.violations[0].detail


def test_an_old_backup_is_told_by_the_anchor_alone() -> None:
    old = Record(RECORD.entries[:60], RECORD.checkpoints[:3], (), RECORD.keys)
    assert old.verify().valid
    assert told(replace(old, anchored=RECORD.anchored).verify().violations) == [("ledger.truncated", 61)]


def test_an_empty_database_is_told_by_the_anchor() -> None:
    assert told(verify([], [], RECORD.anchored, RECORD.keys).violations) == [("ledger.truncated", 1)]


@pytest.mark.parametrize("pinned", [True, False])
def test_another_ledger_in_its_place_is_told(pinned: bool) -> None:
    other = Author(2).record(50, 20)
    report = verify(other.entries, other.checkpoints, RECORD.anchored, RECORD.keys if pinned else ())
    assert "ledger.foreign" in {one.code for one in report.violations}


def test_a_ledger_that_nobody_opened_is_told() -> None:
    row: Row = (1, 5, "question_answered", "a", "b", "", "", "", b"{}", b"")
    report = verify([(*row, verifier.entry_hash(*row, verifier.START))], [], [], ())
    assert told(report.violations) == [("ledger.unopened", 1)]


def test_a_checkpoint_that_is_only_anchored_is_told() -> None:
    report = replace(RECORD, checkpoints=RECORD.checkpoints[1:]).verify()
    assert told(report.violations) == [("checkpoint.missing", 20)]


def test_two_roots_signed_for_one_size_are_told() -> None:
    notes = [*RECORD.checkpoints, AUTHOR.note(60, b"r" * 32)]
    assert told(verify(RECORD.entries, notes, [], RECORD.keys).violations) == [("checkpoint.root", 60)]


def test_without_a_pinned_key_the_report_says_so() -> None:
    report = verify(RECORD.entries, RECORD.checkpoints, [], ())
    assert (report.valid, report.pinned, report.keys) == (True, False, (AUTHOR.key,))
    assert [one.code for one in report.remarks] == ["key.unpinned"]


def test_a_pinned_key_that_is_none_is_refused() -> None:
    with pytest.raises(NoteError, match="not a verifier key"):
        verify([], [], [], ["nonsense"])


def test_a_clock_that_goes_backwards_is_remarked_and_breaks_nothing() -> None:
    rows = [row[:10] for row in AUTHOR.rows(10)]
    rows[4] = (5, rows[3][1] - 1_000_000, *rows[4][2:])
    rows[6] = (7, rows[5][1] - 1_000_001, *rows[6][2:])
    entries = tampering.rehashed([(*row, b"") for row in rows], 1, 10)
    report = verify(entries, [], [], [AUTHOR.key])
    assert report.valid
    assert [(one.code, one.row) for one in report.remarks][:1] == [("clock.backwards", 7)]


def test_entries_after_the_last_checkpoint_are_remarked() -> None:
    report = verify(RECORD.entries, RECORD.checkpoints[:-1], [], RECORD.keys)
    assert [(one.code, one.row) for one in report.remarks] == [("checkpoint.none", 121)]


def test_verification_goes_on_where_it_ended() -> None:
    state: State | None = None
    for first, last in ((0, 1), (1, 57), (57, 57), (57, 64), (64, 130)):
        report = verify(RECORD.entries[first:last], RECORD.checkpoints if last == 130 else [], [], RECORD.keys, state)
        assert report.valid, report.violations
        state = report.state
    assert report.proven == 130
    assert state == RECORD.verify().state


def test_going_on_from_a_false_state_is_told() -> None:
    begun = verify(RECORD.entries[:57], [], [], RECORD.keys).state
    assert begun is not None
    false = replace(begun, hash=b"x" * 32)
    report = verify(RECORD.entries[57:], RECORD.checkpoints, [], RECORD.keys, false)
    assert told(report.violations) == [("entry.changed", 58)]


def test_progress_is_told_now_and_then() -> None:
    steps: list[int] = []
    verify(AUTHOR.rows(20_000, 5), [], [], [AUTHOR.key], progress=steps.append)
    assert steps == [8192, 16384]


class Rotation:
    """A ledger of three entries and a second key, added by a third one."""

    def __init__(self, endorser: Author, name: str = AUTHOR.origin) -> None:
        self.private = Ed25519PrivateKey.from_private_bytes(b"2" * 32)
        self.key = verifier.format_key(name, self.private.public_key().public_bytes_raw())
        endorsement = base64.b64encode(endorser.sign(b"opsplane-key\n" + self.key.encode())).decode()
        event = f'{{"kind":"signing_key_added","key":"{self.key}","endorsement":"{endorsement}"}}'.encode()
        rows = [row[:10] for row in AUTHOR.rows(2)]
        rows.append((3, rows[1][1], "signing_key_added", "opsplane", "service", "", "", "", event, b""))
        self.entries = tampering.rehashed([(*row, b"") for row in rows], 1, 3)

    def verify(self, *keys: str) -> Report:
        tree = Tree()
        for row in self.entries:
            tree.append(row[10])
        text = f"{AUTHOR.origin}\n3\n{base64.b64encode(tree.root()).decode()}\ntime 2026-11-25T12:00:00Z\n"
        signed = bytes.fromhex(self.key.split("+")[1]) + self.private.sign(text.encode())
        note = f"{text}\n— {AUTHOR.origin} {base64.b64encode(signed).decode()}\n"
        return verify(self.entries, [note], [], keys)


@pytest.mark.parametrize("pinned", [True, False])
def test_a_key_that_a_trusted_key_endorsed_is_trusted(pinned: bool) -> None:
    rotation = Rotation(AUTHOR)
    report = rotation.verify(*([AUTHOR.key] if pinned else []))
    assert (report.valid, report.proven, report.keys) == (True, 3, (AUTHOR.key, rotation.key))


@pytest.mark.parametrize("pinned", [True, False])
def test_a_key_that_a_stranger_endorsed_is_told_and_not_trusted(pinned: bool) -> None:
    report = Rotation(Author(9)).verify(*([AUTHOR.key] if pinned else []))
    assert told(report.violations) == [("key.unendorsed", 3), ("checkpoint.unknown_key", 3)]


def test_a_key_of_another_ledger_is_not_trusted() -> None:
    report = Rotation(AUTHOR, "opsplane/other").verify(AUTHOR.key)
    assert told(report.violations)[0] == ("key.unendorsed", 3)
