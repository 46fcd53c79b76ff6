"""A whole assessment of a made-up run, with everything in it, and one that holds hostile texts."""

from functools import cache

from opsplane.evaluation import comparison, gate
from opsplane.evaluation.assessment import Assessment
from opsplane.evaluation.report import Answer, Said, Source
from opsplane.exchange import Outcome
from opsplane.policy import load
from tests import reports

HOSTILE = "<script>alert('x')</script><img src=x onerror=alert(1)>\u202e\x00\x1b[31m ]]> & \"' | `"
"""What no report may bring to life."""


@cache
def whole(cases: int = 250) -> Assessment:
    """A run that is worse than what serves, with its comparison and the gate's decision."""
    old = reports.run(worse=40, cases=cases, release="heron-7", release_digest="7" * 64)
    new = reports.run(worse=11, cases=cases)
    found = comparison.compare(old, new)
    decision = gate.decide(new, load().gate, votes=True, against=found)
    return Assessment(new, reports.dataset(cases), old, found, decision)


def hostile() -> Assessment:
    """A run of one case in which every text is hostile."""
    answer = Answer(
        outcome=Outcome.FAILED,
        code=HOSTILE,
        question=HOSTILE,
        standalone=f"{HOSTILE}!",
        sentences=(Said(text=HOSTILE, cites=(1, 99)),),
        withheld=(Said(text=HOSTILE),),
        sources=(Source(number=1, document=HOSTILE, title=HOSTILE, section=HOSTILE, text=HOSTILE),),
        findings=(HOSTILE,),
        model=HOSTILE,
        error=HOSTILE,
    )
    row = reports.row(0, None, case=HOSTILE, kind=HOSTILE, tags=(HOSTILE,), passed=False, why=HOSTILE, answer=answer)
    row = row.model_copy(update={"scores": tuple(one.model_copy(update={"why": HOSTILE}) for one in row.scores)})
    return Assessment(reports.of([row], [reports.measure(words=HOSTILE)], judge=HOSTILE, index=HOSTILE))
