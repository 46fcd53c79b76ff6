import math
import os
import subprocess
import sys
from pathlib import Path

import pytest
import sacrebleu
from rouge_score.rouge_scorer import RougeScorer

from opsplane.evaluation.scorers import overlap
from tests.opsplane.evaluation.scorers.answering import case, exchange

PAIRS = [
    ("The fee is $15 for each item.", "We charge $15 for every item that overdraws the account."),
    ("You can dispute a charge within 60 days.", "You can dispute a charge within 60 days of the statement."),
    ("Yes.", "Yes, from the first day of the month on; the rate is 4.25 % (APY 4.33 %)."),
    ("", "Something."),
    ("Größe – “quoted” … ½", "Groesse, quoted: 0.5"),
]


@pytest.mark.parametrize(("answer", "reference"), PAIRS)
def test_bleu_is_what_sacrebleu_calculates(answer: str, reference: str) -> None:
    expected = sacrebleu.BLEU(effective_order=True).sentence_score(answer, [reference]).score / 100
    assert overlap.bleu(answer, reference) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("kind", ["rouge1", "rouge2", "rougeL"])
@pytest.mark.parametrize(("answer", "reference"), PAIRS)
def test_rouge_is_what_rouge_score_calculates(answer: str, reference: str, kind: str) -> None:
    expected = RougeScorer([kind]).score(target=reference, prediction=answer)[kind].fmeasure
    assert overlap.rouge(answer, reference, kind) == pytest.approx(expected, abs=1e-6)


def test_the_example_of_the_paper_on_rouge() -> None:
    """Lin (2004), "ROUGE: A Package for Automatic Evaluation of Summaries", section 3.1: S1 to S4."""
    first = "police killed the gunman"
    others = ["police kill the gunman", "the gunman kill police", "the gunman police killed"]
    assert [overlap.rouge(one, first) for one in others] == [0.75, 0.5, 0.5]
    two = [overlap.rouge(one, first, "rouge2") for one in others]
    assert two == pytest.approx([1 / 3, 1 / 3, 2 / 3])  # S2 and S3 have one pair of words each, S4 two


def test_the_examples_of_sacrebleus_own_tests() -> None:
    """Its test_bleu.py, cases of effective order: a brevity penalty of 1/e, and a whole match."""
    assert overlap.bleu("test", "a test") == pytest.approx(0.3678794411714425, abs=1e-6)
    assert overlap.bleu("a test", "a test") == pytest.approx(1, abs=1e-6)


def test_bleu_by_hand() -> None:
    """Papineni et al. (2002): precisions 5/6, 4/5, 3/4, 2/3 and no brevity penalty."""
    answer, reference = "one two three four five seven", "one two three four five six"
    expected = math.prod([5 / 6, 4 / 5, 3 / 4, 2 / 3]) ** 0.25
    assert overlap.bleu(answer, reference) == pytest.approx(expected, abs=1e-6)


async def test_cases_without_a_reference_say_nothing() -> None:
    scores = [await one.score(case(), exchange("Yes.")) for one in overlap.scorers()]
    assert scores == [None] * 4


async def test_all_four_are_shares_of_one_reference() -> None:
    told = case(reference="The fee is $15 for each item.")
    scores = [await one.score(told, exchange("The fee is $15", "for each item.")) for one in overlap.scorers()]
    assert [one and one.scorer for one in scores] == ["bleu", "rouge1", "rouge2", "rouge_l"]
    assert [one and one.value for one in scores] == pytest.approx([1, 1, 1, 1])


async def test_an_endless_answer_is_unscored() -> None:
    told = case(reference="Yes.")
    scores = [await one.score(told, exchange("a " * 200_000)) for one in overlap.scorers()]
    assert {(one.value, one.why) for one in scores if one} == {(None, "longer than 1,200 words")}


def test_neither_library_asks_the_network_or_writes_a_file(tmp_path: Path) -> None:
    code = """
import socket
def no(*_): raise AssertionError("network")
socket.socket.connect = socket.getaddrinfo = no
from opsplane.evaluation.scorers import overlap
print(overlap.bleu("a test", "a test"), overlap.rouge("a test", "a test"))
"""
    home = {"HOME": str(tmp_path), "PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"}
    told = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env=home,
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[4],
    )
    assert told.returncode == 0, told.stderr
    assert told.stdout.split()[1] == "1.0"
    assert list(tmp_path.iterdir()) == []
