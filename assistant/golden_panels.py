"""The cases made of exchanges as Markdown."""

from collections.abc import Sequence

from assistant.panels import Panel, cut, moment, plain, table
from opsplane.casebook import Kept
from opsplane.evaluation.dataset import Case
from opsplane.evaluation_events import CaseAdded, CaseRemoved

SHOWN = 50
"""So many of the newest cases are listed."""


def listed(cases: Sequence[Kept]) -> Panel:
    """The cases with what they ask, newest first."""
    whole = [(one, one.case) for one in cases if one.case]
    erased = len(cases) - len(whole)
    gone = f"{erased:,} fell out: the customer's words were erased." if erased else ""
    if not whole:
        how = "No case was made of an exchange yet. `/golden add <exchange>` makes one."
        return Panel("\n\n".join(part for part in ("### Golden cases", how, gone) if part))
    rows = [
        (one.name, case.kind, case.expect, cut(case.question, 120), _holds(case), one.by, moment(one.at))
        for one, case in reversed(whole[-SHOWN:])
    ]
    shown = f" The newest {SHOWN} are shown." if len(whole) > SHOWN else ""
    head = f"{len(whole):,} cases of the dataset `record`.{shown}"
    columns = ("Case", "Kind", "Expected", "Question", "Holds it against", "Added by", "Time (UTC)")
    return Panel("\n\n".join(part for part in ("### Golden cases", head, table(columns, rows), gone) if part))


def added(event: CaseAdded) -> Panel:
    """What was made of the exchange, and what to look at."""
    case = event.case
    rows = [
        ("Case", case.id),
        ("Kind", case.kind),
        ("Asked before", " / ".join(case.history) or "—"),
        ("Question", case.question),
        ("Expected", case.expect),
        ("Facts", ", ".join(str(one) for one in case.facts) or "—"),
        ("Documents, one of", ", ".join(case.documents) or "—"),
        ("Right answer", case.reference or "—"),
        ("Tags", ", ".join(case.tags) or "—"),
    ]
    notes = [f"To change it: `/golden remove {case.id} <why>`, and add it anew."]
    if case.expect == "answer" and not (case.facts or case.documents or case.reference):
        notes.insert(0, 'It holds an answer against nothing yet: give facts="…", documents="…" or the right answer.')
    asked = f"It is asked as the persona {plain(case.as_)}, not as the customer: figures of their accounts do not fit."
    return Panel("\n\n".join([f"### Added {plain(case.id)}", table(("Field", "Value"), rows), asked, *notes]))


def removed(event: CaseRemoved) -> Panel:
    """That a case is asked no longer."""
    return Panel(f"### Removed {plain(event.name)}\n\nIt is asked no longer. Reason: {plain(event.reason)}")


def _holds(case: Case) -> str:
    parts = [
        f"{len(case.facts)} facts" if case.facts else "",
        f"{len(case.documents)} documents" if case.documents else "",
        "a right answer" if case.reference else "",
    ]
    return ", ".join(part for part in parts if part) or "—"
