"""Whether a dataset can be relied on: cases that contradict themselves, repeat one another or were seen before."""

from collections.abc import Collection, Iterable, Iterator

from pydantic import BaseModel, ConfigDict

from opsplane.evaluation import contamination
from opsplane.evaluation.contamination import Match, Seen
from opsplane.evaluation.dataset import Case, Dataset


class Soundness(BaseModel):
    """What is wrong with a dataset, and what is worth a look."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def examine(dataset: Dataset, seen: Iterable[Seen], personas: Collection[str]) -> Soundness:
    """Look at every case, at what a model has `seen`, and at who may ask (`personas` are sign-in names). Pure."""
    found = contamination.check(dataset, seen)
    problems = [text for case in dataset.cases for text in _contradictions(case, personas)]
    problems += [match_in_words(one) for one in found.grave]
    for one in contamination.twins(dataset):
        problems.append(f"{one.first} and {one.second} ask nearly the same ({one.share:.0%} of their words)")
    notes = [match_in_words(one) for one in found.soft]
    notes += [f"{case.id}: any answer passes: nothing is expected or forbidden" for case in _empty(dataset)]
    return Soundness(problems=tuple(problems), notes=tuple(notes))


def match_in_words(one: Match) -> str:
    """A match as people read it."""
    how = f"{one.how}, {one.share:.0%}" if one.share < 1 else one.how.value
    more = f" and {one.times - 1:,} more" if one.times > 1 else ""
    return f"{one.case}: its {one.part} stands in a {one.origin} ({how}): {one.where}{more}"


def _contradictions(case: Case, personas: Collection[str]) -> Iterator[str]:
    if case.expect == "decline" and (case.facts or case.documents):
        yield f"{case.id}: it is to be turned away, and yet expects facts or documents"
    if case.as_ not in personas:
        yield f"{case.id}: nobody is called {case.as_!r}; it is asked as one of: {', '.join(sorted(personas))}"
    flat = [fact.casefold() for one in case.facts for fact in ((one,) if isinstance(one, str) else one)]
    if both := [word for word in case.forbidden if word.casefold() in flat]:
        yield f"{case.id}: {both[0]!r} is expected and forbidden at once"


def _empty(dataset: Dataset) -> list[Case]:
    return [
        case
        for case in dataset.cases
        if case.expect == "answer" and not (case.facts or case.documents or case.reference or case.forbidden)
    ]
