"""Why cases failed, grouped by what would have to change: the documents, the search, the prompt, a rule, or the model.

Decided by where the expected facts got lost on their way: document, passage, answer, check. Pure.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from opsplane.evaluation.dataset import Case, Dataset
from opsplane.evaluation.evaluate import TURNED_AWAY, states, told
from opsplane.evaluation.report import Report, Row
from opsplane.exchange import Outcome

Texts = Mapping[str, str]
"""Every document in force, whole, by its id."""

Fact = str | tuple[str, ...]
NAMED = 5
"""Documents that a diagnosis names at most."""
TUNABLE = 100
"""Corrected answers from which on tuning a model is worth an experiment; below, a prompt is cheaper and as good."""


class Cause(StrEnum):
    """Where a case was lost."""

    BROKEN = "broken"  # the turn failed
    DOCUMENT = "document"  # none of the case's documents in force says it; of a case that names none: no document does
    SEARCH = "search"  # a document says it and was not found
    PASSAGE = "passage"  # the document was found, and another passage of it
    IGNORED = "ignored"  # the passage was there and the model did not use it
    INVENTED = "invented"  # something was said that no source bears out, or that must not be said
    FORMAT = "format"  # the facts are there, the citation is not
    STRICT = "strict"  # a guardrail took away what was right, or declined what is to be answered
    LOOSE = "loose"  # something that is to be declined was answered


class Remedy(StrEnum):
    """What to change."""

    OPERATION = "operation"
    DOCUMENTS = "documents"
    RETRIEVAL = "retrieval"
    PROMPT = "prompt"
    TUNING = "fine-tuning"
    GUARDRAILS = "guardrails"


WORDS = {
    Cause.BROKEN: "the turn failed",
    Cause.DOCUMENT: "no document says it",
    Cause.SEARCH: "the search missed the document",
    Cause.PASSAGE: "the search found another passage of the document",
    Cause.IGNORED: "the model had it and did not say it",
    Cause.INVENTED: "the model said what no source bears out",
    Cause.FORMAT: "the facts are right, the citation is not",
    Cause.STRICT: "a guardrail took a right answer away",
    Cause.LOOSE: "what is to be declined was answered",
}
"""How people read them."""
_REMEDIES = {
    Cause.BROKEN: Remedy.OPERATION,
    Cause.DOCUMENT: Remedy.DOCUMENTS,
    Cause.SEARCH: Remedy.RETRIEVAL,
    Cause.PASSAGE: Remedy.RETRIEVAL,
    Cause.IGNORED: Remedy.PROMPT,
    Cause.INVENTED: Remedy.PROMPT,
    Cause.FORMAT: Remedy.PROMPT,
    Cause.STRICT: Remedy.GUARDRAILS,
    Cause.LOOSE: Remedy.GUARDRAILS,
}
_ADVICE = {
    Remedy.OPERATION: "Look at the errors first: these turns failed, whatever the release says.",
    Remedy.DOCUMENTS: "Write or ingest what is missing: no prompt and no model answers from what no document says.",
    Remedy.RETRIEVAL: "Change the retrieval (weights, passages, index) and measure it: opsplane tune retrieval.",
    Remedy.PROMPT: "Change the prompt or its examples: the passage was there.",
    Remedy.TUNING: "Change the prompt first; with so many corrected answers a tuned model is worth an experiment.",
    Remedy.GUARDRAILS: "Look at the rule or threshold that decided, and measure another: opsplane guardrails sweep.",
}


class Found(BaseModel):
    """One failed case, where it was lost, and the words for it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    case: str
    cause: Cause
    detail: str


@dataclass(frozen=True)
class Diagnosis:
    """Every failed case of a report. `corrected` counts the corrected answers that there are to tune by."""

    cases: int
    found: tuple[Found, ...]
    corrected: int = 0

    def by_cause(self) -> Mapping[Cause, tuple[Found, ...]]:
        """The failures by cause, the most frequent first."""
        groups = {cause: tuple(one for one in self.found if one.cause is cause) for cause in Cause}
        return dict(sorted(((c, g) for c, g in groups.items() if g), key=lambda pair: -len(pair[1])))

    def by_remedy(self) -> Mapping[Remedy, int]:
        """How many failures each remedy could mend, the most first."""
        counts: dict[Remedy, int] = {}
        for one in self.found:
            remedy = self._remedy(one.cause)
            counts[remedy] = counts.get(remedy, 0) + 1
        return dict(sorted(counts.items(), key=lambda pair: -pair[1]))

    def advice(self) -> list[str]:
        """What to do, the most worthwhile first, with the counts behind it."""
        total = len(self.found)
        return [f"{count} of {total}: {_ADVICE[remedy]}" for remedy, count in self.by_remedy().items()]

    def _remedy(self, cause: Cause) -> Remedy:
        remedy = _REMEDIES[cause]
        ignored = sum(one.cause in (Cause.IGNORED, Cause.FORMAT) for one in self.found)
        tune = remedy is Remedy.PROMPT and self.corrected >= TUNABLE and 2 * ignored >= len(self.found)
        return Remedy.TUNING if tune else remedy


def diagnose(
    report: Report, dataset: Dataset, texts: Texts, tools: Collection[str] = (), corrected: int = 0
) -> Diagnosis:
    """Say for every case that did not pass where it was lost.

    `texts` are all documents in force: a case that names no document may be answered from any. `tools` are the account
    tools that cases name.
    """
    cases = {case.id: case for case in dataset.cases}
    failed = [(row, cases[row.case]) for row in report.rows if not row.passed and row.case in cases]
    found = tuple(
        Found(case=row.case, cause=cause, detail=told)
        for row, case in failed
        for cause, told in [_lost(row, case, texts, tools)]
    )
    return Diagnosis(len(report.rows), found, corrected)


def _lost(row: Row, case: Case, texts: Texts, tools: Collection[str]) -> tuple[Cause, str]:
    answer = row.answer
    if answer.outcome in (Outcome.FAILED, Outcome.STOPPED):
        return Cause.BROKEN, answer.error or answer.outcome.value
    if case.expect == "decline":
        return Cause.LOOSE, f"{answer.outcome.value}: {answer.text[:160]}"
    if answer.outcome is Outcome.DECLINED:
        return Cause.STRICT, f"declined by {answer.code}"
    if missing := [fact for fact in case.facts if not states(answer.text, fact)]:
        return _missing(row, case, missing, texts, tools)
    if answer.outcome in TURNED_AWAY:
        return _unsaid(row, case)
    if row.why.startswith(("stated", "without a source")):
        return Cause.INVENTED, row.why
    return Cause.FORMAT, row.why


def _missing(row: Row, case: Case, missing: Sequence[Fact], texts: Texts, tools: Collection[str]) -> tuple[Cause, str]:
    """Where the facts got lost: in no document, in no passage that was found, in the answer, or in a check."""
    answer = row.answer
    found = {one.document for one in answer.sources}
    if held := [fact for fact in missing if any(states(one.text, fact) for one in answer.withheld)]:
        return Cause.STRICT, f"withheld: {_told(held)}"
    seen = " ".join(one.text for one in answer.sources)
    lacking = [fact for fact in missing if not states(seen, fact)]
    if not lacking:
        return Cause.IGNORED, f"in the sources, not in the answer: {_told(missing)}"
    if case.documents and set(case.documents) <= set(tools) - found:
        return Cause.IGNORED, f"the account tool {case.documents[0]} was not asked"
    holders = _holders(lacking, case.documents or tuple(texts), texts)
    if not holders:
        return Cause.DOCUMENT, _nowhere(lacking, case, texts, tools)
    if reached := [name for name in holders if name in found]:
        return Cause.PASSAGE, f"found {_names(reached)} without {_told(lacking)}"
    return Cause.SEARCH, f"{_names(holders)} says {_told(lacking)} and was not among the passages"


def _holders(facts: Sequence[Fact], names: Collection[str], texts: Texts) -> list[str]:
    """The documents among these that state the most of the facts, and at least one."""
    counts = {name: sum(states(texts[name], fact) for fact in facts) for name in names if name in texts}
    most = max(counts.values(), default=0)
    return sorted(name for name, count in counts.items() if count == most > 0)


def _nowhere(facts: Sequence[Fact], case: Case, texts: Texts, tools: Collection[str]) -> str:
    """Where the facts were looked for in vain, and nothing that was not looked at."""
    if not case.documents:
        return f"nothing of {_told(facts)} in any of the {len(texts)} documents in force"
    looked = sorted({*case.documents} & {*texts, *tools})
    return f"nothing of {_told(facts)} in {_names(looked)}" if looked else f"not in force: {_names(case.documents)}"


def _unsaid(row: Row, case: Case) -> tuple[Cause, str]:
    """Nothing was said, and no fact was asked for by name."""
    found = {one.document for one in row.answer.sources}
    if case.documents and not found & set(case.documents):
        return Cause.SEARCH, f"none of {', '.join(case.documents)} was among the passages"
    return (Cause.STRICT, "everything was withheld") if row.answer.withheld else (Cause.IGNORED, "nothing was said")


def _names(documents: Sequence[str]) -> str:
    more = len(documents) - NAMED
    return ", ".join(documents[:NAMED]) + (f" and {more} more" if more > 0 else "")


def _told(facts: Sequence[Fact]) -> str:
    return ", ".join(told(fact) for fact in facts)
