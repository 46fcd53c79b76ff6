"""Questions, answers and sources to judge."""

from typing import Any

from opsplane.evaluation.dataset import Case
from opsplane.evaluation.matter import Matter
from opsplane.evidence import Sentence
from tests import fakes

FEE = "The overdraft fee is $15 for each item paid, at most 3 a day."
QUESTION = "What is the overdraft fee?"


def case(**changes: Any) -> Case:
    """A case about the overdraft fee."""
    given = {"id": "overdraft", "kind": "answerable", "question": QUESTION, "facts": ("$15",)}
    return Case.model_validate(given | changes)


def matter(*texts: str, **changes: Any) -> Matter:
    """An answer of these sentences, each naming the one source."""
    sentences = tuple(Sentence(text=text, cites=(1,)) for text in texts or (FEE,))
    given: dict[str, Any] = {"question": QUESTION, "sentences": sentences, "evidence": (fakes.passage(1, FEE),)}
    return Matter(**(given | changes))
