"""A copy of the record proves itself in a clean interpreter, and shows whatever was done to it or to the record."""

import csv
import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from opsplane.errors import Conflict, InvalidRequest
from opsplane.events import QuestionReceived
from opsplane.exchange import Outcome
from opsplane.ledger import checkpoint, export
from opsplane.ledger.audit import AuditQuery
from opsplane.ledger.checkpoint import Notary
from opsplane.ledger.export import Exported, Purpose, Selection
from opsplane.ledger.store import Ledger
from tests import fakes
from tests.opsplane.ledger.records import fill, sealed, tamper, turn

WHY = Purpose(fakes.REVIEWER, "case 17")
TWO = Selection(exchanges=("exchange-0001", "exchange-0004"))


@pytest.fixture
def kept(ledger: Ledger, notary: Notary) -> Ledger:
    """Eight turns under two checkpoints."""
    sealed(ledger, notary)
    return ledger


def taken(ledger: Ledger, notary: Notary, target: Path, selection: Selection = Selection()) -> Exported:  # noqa: B008
    return export.export(ledger, notary, target, selection, WHY, lambda *_: None)


def checked(folder: Path, *arguments: str) -> tuple[int, str]:
    """What the verifier in the export says in an interpreter that knows nothing of this product."""
    command = [sys.executable, "-I", "verify.py", ".", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=60)
    return done.returncode, done.stdout + done.stderr


def test_the_whole_ledger_verifies_in_a_clean_interpreter(kept: Ledger, notary: Notary, tmp_path: Path) -> None:
    done = taken(kept, notary, tmp_path / "export")
    assert (done.entries, done.exchanges, done.size) == (22, 8, 22)
    code, told = checked(tmp_path / "export")
    assert code == 0, told
    assert "22 entries of opsplane/" in told


def test_chosen_exchanges_verify_by_their_proofs(kept: Ledger, notary: Notary, tmp_path: Path) -> None:
    done = taken(kept, notary, tmp_path / "export", TWO)
    assert done.exchanges == 2
    code, told = checked(tmp_path / "export")
    assert code == 0, told
    assert f"{done.entries} single entries against their proofs" in told


def test_it_verifies_against_a_key_and_checkpoints_that_were_kept_elsewhere(
    kept: Ledger, notary: Notary, tmp_path: Path
) -> None:
    anchor = str(notary.anchor.checkpoints_file(kept.id))
    (key,) = notary.anchor.keys(kept.id)
    for name, selection in (("whole", Selection()), ("two", TWO)):
        taken(kept, notary, tmp_path / name, selection)
        code, told = checked(tmp_path / name, "--key", key, "--anchor", anchor)
        assert (code, "unpinned" in told) == (0, False), told


CHANGES: list[tuple[str, Callable[[bytes], bytes], str]] = [
    ("entries.jsonl", lambda content: content.replace(b"exchange-0001", b"exchange-0009", 1), "entry.changed"),
    ("entries.jsonl", lambda content: content[content.index(b"\n") + 1 :], "INVALID"),
    ("entries.jsonl", lambda content: content[:-40], "INVALID"),
    ("content.jsonl", lambda content: content.replace(b"$15", b"$51", 1), "file.changed"),
    ("exchanges.csv", lambda content: content + b"x", "file.changed"),
    ("report.html", lambda _: b"", "file.changed"),
    ("checkpoints.jsonl", lambda content: content.replace(b"opsplane/", b"opsplane/0", 1), "INVALID"),
    ("manifest.json", lambda content: content.replace(b"case 17", b"case 18"), "manifest.changed"),
    ("manifest.sig", lambda _: b"", "manifest.malformed"),
]


@pytest.mark.parametrize(("name", "change", "code"), CHANGES)
def test_whatever_is_changed_in_it_is_found(
    kept: Ledger, notary: Notary, tmp_path: Path, name: str, change: Callable[[bytes], bytes], code: str
) -> None:
    taken(kept, notary, tmp_path / "export")
    file = tmp_path / "export" / name
    file.write_bytes(change(file.read_bytes()))
    exit_code, told = checked(tmp_path / "export")
    assert (exit_code, code in told) == (1, True), told


def test_a_proof_that_is_changed_is_found(kept: Ledger, notary: Notary, tmp_path: Path) -> None:
    taken(kept, notary, tmp_path / "export", TWO)
    for name in ("proofs.jsonl", "checkpoint.txt"):
        file = tmp_path / "export" / name
        content = file.read_bytes()
        file.write_bytes(content.replace(b"a", b"b"))
        assert checked(tmp_path / "export")[0] == 1
        file.write_bytes(content)
    assert checked(tmp_path / "export")[0] == 0


@pytest.mark.parametrize("selection", [Selection(), TWO], ids=["whole", "two"])
def test_what_was_changed_in_the_database_before_shows_in_the_copy(
    kept: Ledger, notary: Notary, tmp_path: Path, record_url: str, selection: Selection
) -> None:
    tamper(record_url, "UPDATE entry SET payload = :bytes WHERE seq = 8", bytes=b'{"kind": "question_answered"}')
    taken(kept, notary, tmp_path / "export", selection)
    code, told = checked(tmp_path / "export")
    assert (code, "entry 8" in told) == (1, True), told
    assert '"unreadable"' in (tmp_path / "export" / "content.jsonl").read_text()


def test_the_words_are_in_the_clear_and_passages_stand_once(kept: Ledger, notary: Notary, tmp_path: Path) -> None:
    taken(kept, notary, tmp_path / "export", TWO)
    content = [json.loads(line) for line in (tmp_path / "export" / "content.jsonl").read_text().splitlines()]
    questions = {
        line["event"]["exchange"]["question"] for line in content if line["event"]["kind"] == "question_received"
    }
    assert questions == {"What is fee 1?", "What is fee 4?"}
    passages = (tmp_path / "export" / "passages.jsonl").read_text().splitlines()
    assert [json.loads(line)["text"] for line in passages] == [f"Fee {n} is $15 for each item." for n in (1, 4)]


def test_of_an_erased_customer_only_the_frame_is_copied(kept: Ledger, notary: Notary, tmp_path: Path) -> None:
    kept.vault.destroy("C-1002")
    taken(kept, notary, tmp_path / "export")
    folder = tmp_path / "export"
    assert checked(folder)[0] == 0
    for name in ("content.jsonl", "exchanges.csv", "report.html"):
        content = (folder / name).read_text()
        assert "What is fee 2?" in content
        assert "What is fee 1?" not in content
        assert "[erased]" in content
    assert '"erased": true' in (folder / "content.jsonl").read_text()


def test_no_cell_can_start_a_formula(ledger: Ledger, notary: Notary, tmp_path: Path) -> None:
    checkpoint.introduce(ledger, notary)
    received = turn(1)[0].model_copy(update={"question": "=1+1"})
    ledger.append_now(QuestionReceived(exchange=received), fakes.CUSTOMER, received.id, "C-1001")
    ledger.settle()
    taken(ledger, notary, tmp_path / "export")
    (row,) = list(csv.DictReader(io.StringIO((tmp_path / "export" / "exchanges.csv").read_text("utf-8-sig"))))
    assert (row["question"], row["outcome"]) == ("'=1+1", Outcome.RECEIVED.value)


def test_filters_choose_exchanges(kept: Ledger, notary: Notary, tmp_path: Path) -> None:
    done = taken(kept, notary, tmp_path / "export", Selection(AuditQuery(customer="C-1002")))
    assert done.exchanges == 4
    assert checked(tmp_path / "export")[0] == 0


def test_a_selection_of_nothing_is_told_and_leaves_nothing(kept: Ledger, notary: Notary, tmp_path: Path) -> None:
    for selection in (Selection(AuditQuery(customer="nobody")), Selection(exchanges=("nothing",))):
        with pytest.raises(InvalidRequest, match="nothing to export"):
            taken(kept, notary, tmp_path / "out" / "export", selection)
    assert not list((tmp_path / "out").glob("*")) if (tmp_path / "out").exists() else True


def test_what_is_there_is_not_overwritten(kept: Ledger, notary: Notary, tmp_path: Path) -> None:
    (tmp_path / "export").mkdir()
    with pytest.raises(Conflict, match="already"):
        taken(kept, notary, tmp_path / "export")


def test_a_copy_that_is_cut_off_leaves_nothing(kept: Ledger, notary: Notary, tmp_path: Path) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export.export(kept, notary, tmp_path / "out" / "export", Selection(), WHY, stop)
    assert list((tmp_path / "out").iterdir()) == []


KILLED = """
import os, pathlib, signal, sys
from opsplane.ledger import export
from opsplane.ledger.anchor import Anchor
from opsplane.ledger.checkpoint import Notary
from opsplane.ledger.database import connect
from opsplane.ledger.keys import open_keys
from opsplane.ledger.store import Ledger
from tests import fakes
from tests.opsplane.ledger.records import sealed
from tests.opsplane.ledger.test_export import WHY

folder, clock = pathlib.Path(sys.argv[1]), fakes.Clock()
ledger = Ledger(connect(f"sqlite:///{folder / 'killed.db'}"), clock, fakes.vault(folder, clock))
signer = open_keys("", folder, clock()).signers(f"opsplane/{ledger.id}")[0]
notary = Notary(signer, Anchor(folder / "killed"))
sealed(ledger, notary)
kill = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
export.export(ledger, notary, folder / "out" / "export", export.Selection(), WHY, kill)
"""


def test_a_process_that_is_killed_leaves_nothing_that_looks_like_an_export(tmp_path: Path) -> None:
    root = Path(__file__).parents[3]
    done = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], cwd=root, check=False, timeout=120)
    assert done.returncode == -9
    left = list((tmp_path / "out").iterdir())
    assert all(one.name.startswith(".") for one in left)
    assert not list((tmp_path / "out").rglob("manifest.json"))


def test_one_file_holds_the_same(kept: Ledger, notary: Notary, tmp_path: Path) -> None:
    content, done = export.bundle(kept, notary, TWO, WHY, lambda *_: None)
    zipfile.ZipFile(io.BytesIO(content)).extractall(tmp_path / "unpacked")
    assert done.exchanges == 2
    assert checked(tmp_path / "unpacked" / "export")[0] == 0


def test_entries_that_come_after_the_checkpoint_are_not_in_it(kept: Ledger, notary: Notary, tmp_path: Path) -> None:
    def late(*_: object) -> None:
        fill(kept, 0)

    done = export.export(kept, notary, tmp_path / "export", Selection(), WHY, late)
    assert done.entries == 22
    assert checked(tmp_path / "export")[0] == 0
