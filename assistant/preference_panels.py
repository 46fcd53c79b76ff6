"""Two answers to one question, side by side and without names, as Markdown and tables."""

from itertools import zip_longest

from assistant.audit_panels import marks
from assistant.panels import Panel, cut, plain, table
from opsplane.ledger.pairs import LOOKED
from opsplane.preference import Anonymous, Blind, Side, Task, Unveiled

WORDS = 300
"""Characters that are shown of a source."""

_HOW_PAIRS_COME = (
    "A pair comes about where two releases answer the same question: while a shadow rollout runs "
    "(`/rollout start <release> plan=shadow`), its candidate answers what customers ask, and nobody sees it. Answers "
    "that are the same word by word, that failed, or whose words were erased are passed over."
)


def task(one: Task) -> Panel:
    """The pair to compare, and how to say which answer is better."""
    if one.blind is None:
        left = f"\n\n{_waiting(one.waiting)}" if one.waiting else ""
        if one.waiting > LOOKED:
            left += f" The newest {LOOKED:,} were looked through; `/prefer <id>` compares an older one."
        return Panel(f"### Prefer\n\nNo pair waits for you. {_HOW_PAIRS_COME}{left}")
    pair = one.blind
    facts = [("Exchange", pair.exchange), ("Question", pair.question), ("Understood as", pair.standalone)]
    body = [f"### Prefer {plain(pair.exchange[:8])}", table(("Field", "Value"), facts), _side_by_side(pair)]
    body += [*_sources("A", pair.first), *_sources("B", pair.second), _how(pair)]
    if one.waiting > 1:
        body.append(_waiting(one.waiting))
    return Panel("\n\n".join(body))


def decided(one: Unveiled) -> Panel:
    """That a preference is on the record, and which release gave which answer."""
    preferred = {"first": "answer A is better", "second": "answer B is better", "tie": "neither is better"}
    rows = [(side.value.upper(), name, _seen(side is one.live)) for side, name in _sides(one)]
    told = f"**{one.event.exchange[:8]}** is on the record: **{preferred[one.event.preferred]}**."
    return Panel(f"### Prefer\n\n{told}\n\n{table(('Answer', 'Release', ''), rows)}\n\nNext: `/prefer`")


def _sides(one: Unveiled) -> list[tuple[Side, str]]:
    return [(Side.A, one.first), (Side.B, one.second)]


def _seen(live: bool) -> str:
    return "the customer saw it" if live else "in shadow: nobody saw it"


def _side_by_side(pair: Blind) -> str:
    said = zip_longest(_sentences(pair.first), _sentences(pair.second), fillvalue="")
    return table(("Answer A", "Answer B"), said)


def _sentences(one: Anonymous) -> list[str]:
    told = [f"{text.text} {marks(text.cites)}" if text.cites else text.text for text in one.sentences]
    return told or ["(nothing was said)"]


def _sources(name: str, one: Anonymous) -> list[str]:
    if not one.sources:
        return [f"**Sources of {name}:** none"]
    rows = [(f"[{each.number}]", each.title, each.section, each.version, cut(each.text, WORDS)) for each in one.sources]
    return [f"**Sources of {name}**", table(("", "Document", "Section", "Version", "Words"), rows)]


def _how(pair: Blind) -> str:
    short = pair.exchange[:8]
    again = " again=yes" if pair.said else ""
    before = ""
    if pair.said:
        what = "a tie" if pair.said is Side.TIE else pair.said.value.upper()
        before = f"You said {what} before; `again=yes` changes it.\n\n"
    return (
        f"{before}Which one would you rather have given? The order was drawn by lot; which release gave which answer "
        "is told afterwards, and `/exchange` would give it away before.\n\n"
        f"    /prefer {short} a{again}\n"
        f'    /prefer {short} b{again} comment="why"\n'
        f"    /prefer {short} tie{again}"
    )


def _waiting(number: int) -> str:
    """How many shadows are left, of which some may be no pair."""
    return f"**Not compared by you:** {number:,} answers in shadow, those included that are no pair."
