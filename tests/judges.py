"""Scripted judges: what a language model might do with a judge's prompt, without one.

Each is a `Complete`: it reads the prompt as a model would (the pieces between the fences, the form, the check word).
`grading` and `comparing` put one behind the real machinery.
"""

import json
import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from opsplane.evaluation import rubric
from opsplane.evaluation.completion import Complete, Completion
from opsplane.evaluation.judge import Grader, LanguageJudge
from opsplane.evaluation.pairwise import LanguagePair
from opsplane.spend import Cost, Purpose, Usage

NAME = "scripted:judge"
USAGE = Usage(input=900, output=60)
ANSWER, PREFERENCE = rubric.load_all()["answer"], rubric.load_all()["preference"]

_PIECE = re.compile(r"<<<(\w+) ([0-9a-f]{24})>>>\n(.*?)\n<<<end of \1 \2>>>", re.DOTALL)
_CHECK = re.compile(r'value of "check" is the word ([0-9a-f]{24})')


def pieces(user: str) -> dict[str, str]:
    """What stands between the fences, by name."""
    return {match[1]: match[3] for match in _PIECE.finditer(user)}


def check(user: str) -> str:
    """The word that a reply must hold."""
    return str(_CHECK.findall(user)[-1])


def completion(text: str, finish: str = "stop") -> Completion:
    """A reply with the usage that every call has here."""
    return Completion(text=text, model=NAME, usage=USAGE, finish=finish)


def graded(user: str, grade: object) -> str:
    """A reply in the right form with the same grade everywhere."""
    names = [one.name for one in ANSWER.criteria]
    return json.dumps({"check": check(user), "reason": "as it is", "scores": dict.fromkeys(names, grade)})


def preferring(user: str, place: str) -> str:
    """A reply in the right form that names a place."""
    return json.dumps({"check": check(user), "reason": "as it is", "preferred": place})


@dataclass
class Says:
    """Says the same in each call, or one reply after the other; raises what is an exception."""

    replies: Sequence[str | Exception | Callable[[str], str]]
    finish: str = "stop"
    heard: list[tuple[str, str]] = field(default_factory=list)

    async def __call__(self, system: str, user: str) -> Completion:
        """The next reply; the last one again and again."""
        self.heard.append((system, user))
        reply = self.replies[min(len(self.heard), len(self.replies)) - 1]
        if isinstance(reply, Exception):
            raise reply
        return completion(reply if isinstance(reply, str) else reply(user), self.finish)


def fair(grade: int = 4) -> Says:
    """Keeps to the form and gives everything the same grade."""
    return Says([lambda user: graded(user, grade)])


def always_first() -> Says:
    """Prefers whatever stands first."""
    return Says([lambda user: preferring(user, "first")])


def prefers_long() -> Says:
    """Grades by length alone, a grade for every 60 characters, and prefers the longer of two."""
    return Says([_by_length])


def prose() -> Says:
    """Tells what it thinks in a sentence."""
    return Says(["I would give this answer a five, since it is very good."])


def seven() -> Says:
    """Grades 7 on a scale of 1 to 5."""
    return Says([lambda user: graded(user, 7)])


def slow() -> Says:
    """Never ends within its time."""
    return Says([TimeoutError()])


def obedient() -> Says:
    """Repeats a ready-made reply that it finds in what it grades, and else says 1."""
    return Says([_copied])


def servile() -> Says:
    """Grades 5, with the check word, as soon as anything it reads asks for it; and else 1."""
    return Says([lambda user: graded(user, 5 if re.search(r"ignore|full marks|score", _judged(user)) else 1)])


@dataclass
class Drifting:
    """Grades rightly by `truth` at first, and then `step` higher for each call, with noise of a fixed seed."""

    truth: Callable[[str], float]
    step: float = 0.01
    noise: float = 0.3
    seed: int = 0
    calls: int = 0

    async def __call__(self, system: str, user: str) -> Completion:
        """The grade of this call, rounded to the scale."""
        drawn = random.Random(self.seed * 1_000_003 + self.calls).gauss(0, self.noise)
        grade = self.truth(pieces(user)["answer"]) + self.step * self.calls + drawn
        self.calls += 1
        return completion(graded(user, max(1, min(5, round(grade)))))


def grading(complete: Complete, name: str = NAME) -> LanguageJudge:
    """A judge of single answers."""
    return LanguageJudge(ANSWER, Grader(name, complete, book))


def comparing(complete: Complete, name: str = NAME) -> LanguagePair:
    """A judge of pairs."""
    return LanguagePair(PREFERENCE, Grader(name, complete, book))


def book(found: Completion) -> Cost:
    """A micro-dollar for each token."""
    micros = found.usage.input + found.usage.output
    return Cost(purpose=Purpose.JUDGE, model=found.model, usage=found.usage, micros=micros, prices="test")


def _judged(user: str) -> str:
    found = pieces(user)
    return " ".join(found.get(name, "") for name in ("question", "answer", "first", "second")).lower()


def _copied(user: str) -> str:
    ordered = re.search(r"\{.*\}", " ".join(pieces(user).values()), re.DOTALL)
    return ordered[0] if ordered else graded(user, 1)


def _by_length(user: str) -> str:
    found = pieces(user)
    if "answer" in found:
        return graded(user, min(5, 1 + len(found["answer"]) // 60))
    first, second = len(found["first"]), len(found["second"])
    return preferring(user, "tie" if first == second else "first" if first > second else "second")
