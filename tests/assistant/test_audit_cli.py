"""The record from a terminal: searched, verified, proven, looked back at, exported, kept and erased."""

import json
from pathlib import Path

import pytest

from assistant import bootstrap
from assistant.settings import Settings
from opsplane.ledger.tables import EXCHANGE
from tests.assistant.commandline import Run, runner
from tests.opsplane.ledger.records import fill, tamper

WHY = ("--reason", "case 4711")


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A record of eight turns under a data folder of its own."""
    monkeypatch.setenv("OPSPLANE_DATA", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "300")
    found = Settings(data=tmp_path)
    with bootstrap.record(found) as (ledger, _):
        fill(ledger)
    return found.database("record")


@pytest.fixture
def run(url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs one command as the shell would, and tells its exit code and what it printed."""
    return runner(monkeypatch, capsys)


@pytest.mark.parametrize(
    "command",
    [
        *("audit", "cost", "keys", "audit search", "audit verify", "audit prove", "audit prove-consistency"),
        *("audit as-of", "audit export", "audit erase", "audit hold", "audit release-hold", "audit retention"),
        *("audit requests", "audit approve", "audit reject", "audit coverage", "audit rebuild"),
        *("cost report", "cost reconcile", "keys show", "keys rotate"),
    ],
)
def test_everything_has_help(run: Run, command: str) -> None:
    told = run(*command.split(), "--help")
    assert told.code == 0
    assert "Usage:" in told.out


def test_words_that_are_no_command_are_filters_of_a_search(run: Run) -> None:
    for words in (("customer=C-1002",), ("search", "customer=C-1002")):
        told = run("audit", *words, *WHY)
        assert (told.code, "4 exchanges" in told.out) == (0, True), told


def test_a_mistyped_command_is_not_taken_for_a_filter(run: Run) -> None:
    told = run("audit", "verfy")
    assert told.code == 2
    assert "Did you mean 'verify'?" in " ".join(told.err.split())


def test_reading_needs_a_reason(run: Run) -> None:
    told = run("audit", "customer=C-1002")
    assert (told.code, "Say why with --reason" in told.err) == (2, True)


def test_every_row_goes_into_the_csv(run: Run) -> None:
    told = run("audit", "--csv", *WHY)
    assert told.code == 0


def test_a_sound_record_ends_with_0_and_that_it_was_verified_is_recorded(run: Run) -> None:
    told = run("audit", "verify")
    assert (told.code, "The record is sound." in told.out) == (0, True), told
    again = json.loads(run("audit", "verify", "--incremental", "--json").out)
    assert (again["mode"], again["violations"]) == ("incremental", [])
    assert "record verified" in run("audit", "as-of", "2999-01-01", *WHY).out


def test_violations_end_with_1_and_are_listed_with_their_entry(run: Run, url: str) -> None:
    tamper(url, "UPDATE entry SET actor = 'mallory' WHERE seq = 7")
    told = run("audit", "verify", "--json")
    assert told.code == 1
    assert [(one["code"], one["row"]) for one in json.loads(told.out)["violations"]] == [("entry.changed", 7)]
    assert "entry.changed" in run("audit", "verify").out


def test_what_cannot_be_verified_ends_with_2_in_words(run: Run, tmp_path: Path) -> None:
    told = run("audit", "verify", "--data", str(tmp_path / "elsewhere"))
    assert (told.code, "There is no record at" in told.err) == (2, True)
    (tmp_path / "record.db").write_bytes(b"no database at all" * 999)
    told = run("audit", "verify")
    assert (told.code, "not a database" in told.err) == (2, True)
    assert "Traceback" not in told.err


def test_missing_keys_keep_it_from_being_recorded_and_nothing_else(run: Run, tmp_path: Path) -> None:
    (tmp_path / "keys" / "record.key").unlink()
    told = run("audit", "verify")
    assert told.code == 0
    assert "could not be put on it: The key file" in " ".join(told.err.split())


def test_a_customer_may_not_verify(run: Run) -> None:
    told = run("audit", "verify", "--as", "customer")
    assert (told.code, "needs the role" in told.err) == (2, True)


def test_a_key_that_is_none_is_told(run: Run) -> None:
    told = run("audit", "verify", "--key", "nonsense")
    assert (told.code, "not a verifier key" in told.err) == (2, True)


def test_an_exchange_is_proven(run: Run) -> None:
    told = run("audit", "prove", "exchange-0003", "--json")
    assert (told.code, json.loads(told.out)["valid"]) == (0, True)
    assert "Proven" in run("audit", "prove", "exchange-0003").out
    assert run("audit", "prove", "nothing-like-it").code == 2


def test_nothing_was_rewritten_since_a_checkpoint_that_was_kept(run: Run, url: str, tmp_path: Path) -> None:
    taken = run("audit", "export", str(tmp_path / "copy"), *WHY)
    kept = str(tmp_path / "copy" / "checkpoint.txt")
    assert taken.code == 0
    assert run("audit", "prove-consistency", kept).code == 0
    tamper(url, "UPDATE entry SET hash = :bytes WHERE seq = 18", bytes=b"x" * 32)
    told = run("audit", "prove-consistency", kept, "--json")
    assert (told.code, json.loads(told.out)["valid"]) == (1, False)
    assert run("audit", "prove-consistency", "no-such-file").code == 2


def test_an_export_is_verified_offline(run: Run, tmp_path: Path) -> None:
    told = run("audit", "export", str(tmp_path / "copy"), "customer=C-1002", *WHY, "--json")
    assert (told.code, json.loads(told.out)["exchanges"]) == (0, 4)
    assert run("audit", "verify", str(tmp_path / "copy")).code == 0
    with (tmp_path / "copy" / "content.jsonl").open("a") as stream:
        stream.write("{}\n")
    assert run("audit", "verify", str(tmp_path / "copy")).code == 1
    assert run("audit", "verify", str(tmp_path / "nothing")).code == 2
    assert run("audit", "export", str(tmp_path / "copy"), *WHY).code == 2


def test_only_reviewers_take_a_copy(run: Run, tmp_path: Path) -> None:
    told = run("audit", "export", str(tmp_path / "copy"), *WHY, "--as", "operator")
    assert (told.code, (tmp_path / "copy").exists()) == (2, False)


def test_the_past_is_told(run: Run) -> None:
    told = run("audit", "as-of", "2999-01-01", *WHY)
    assert (told.code, "put in force" in told.out) == (0, True)
    assert run("audit", "as-of", "yesterday", *WHY).code == 2


def test_a_hold_beats_an_erasure_and_two_people_end_it(run: Run) -> None:
    assert run("audit", "hold", "C-1001", "--as", "reviewer", *WHY).code == 0
    told = run("audit", "erase", "C-1001", "--as", "reviewer", *WHY)
    assert (told.code, "hold" in told.err.lower()) == (2, True)
    assert "C-1001" in run("audit", "requests", "--as", "approver").out


def test_an_erasure_takes_two_people_and_leaves_the_record_sound(run: Run) -> None:
    asked = run("audit", "erase", "C-1002", "--as", "reviewer", *WHY)
    assert asked.code == 0, asked
    identity = _request(run)
    assert run("audit", "approve", identity, "--as", "reviewer").code == 2
    done = run("audit", "approve", identity, "--as", "approver")
    assert done.code == 0, done
    assert "What is fee 1?" not in run("audit", "--csv", *WHY).out
    assert run("audit", "verify").code == 0


def test_a_request_is_turned_down_with_a_reason(run: Run) -> None:
    run("audit", "erase", "C-1002", "--as", "reviewer", *WHY)
    identity = _request(run)
    assert run("audit", "reject", identity, "--as", "approver").code == 2
    assert run("audit", "reject", identity, "--as", "approver", *WHY).code == 0


def _request(run: Run) -> str:
    listed = run("audit", "requests", "--as", "approver").out
    return next(word for word in listed.split() if len(word) == 8 and set(word) <= set("0123456789abcdef"))


def test_who_acts_must_be_said_and_known(run: Run) -> None:
    assert "Who does this?" in run("audit", "erase", "C-1002", *WHY).err
    assert "Nobody is called" in run("audit", "erase", "C-1002", "--as", "nobody", *WHY).err


def test_retention_is_shown_and_lengthened(run: Run) -> None:
    assert "7 years" in run("audit", "retention", "--as", "reviewer").out
    assert run("audit", "retention", "9", "--as", "reviewer", *WHY).code == 0
    assert run("audit", "retention", "3", "--as", "reviewer", *WHY).code == 2


def test_coverage_and_costs_are_reported(run: Run) -> None:
    assert run("audit", "coverage", *WHY).code == 0
    assert "test:flash" in run("cost", "by=model", "since=2026-11-01", "until=2026-11-30").out


def test_what_is_searched_is_made_anew(run: Run, url: str) -> None:
    tamper(url, f"DELETE FROM {EXCHANGE.name}")
    assert run("audit", "verify").code == 1
    assert run("audit", "rebuild", *WHY).code == 0
    assert run("audit", "verify").code == 0
    assert run("audit", "rebuild", "--as", "reviewer", *WHY).code == 2


def test_keys_are_shown_and_replaced(run: Run) -> None:
    before = json.loads(run("keys", "show", "--json").out)
    assert run("keys", "rotate", "--as", "operator", *WHY).code == 0
    after = json.loads(run("keys", "show", "--json").out)
    assert after["signing"][:1] == before["signing"]
    assert len(after["signing"]) == 2
    assert after["wrapping"]["current"] not in before["wrapping"]["in_use"]
    assert run("audit", "verify", "--key", before["signing"][0]).code == 0


def test_a_bill_is_held_against_what_was_booked(run: Run, tmp_path: Path) -> None:
    bill = tmp_path / "bill.csv"
    bill.write_text("day,cost,sku\n2026-11-23,9.99,Gemini 3.8 Flash Text Input\n")
    told = run("cost", "reconcile", str(bill), "--json")
    assert (told.code, json.loads(told.out)["agrees"]) == (1, False)
    bill.write_text("what,ever\n1,2\n")
    assert run("cost", "reconcile", str(bill)).code == 2
