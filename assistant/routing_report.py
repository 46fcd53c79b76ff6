"""The frontier of routing in words: a table for the terminal, a fragment for a release file, everything as JSON."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from assistant.estimate import Estimate as Expected
from assistant.panels import dollars, plain, table
from assistant.routing_measuring import Measured
from opsplane.evaluation.estimate import Estimate
from opsplane.evaluation.frontier import ALWAYS_PRO, Frontier, Point
from opsplane.release import Routing

HEADINGS = ("Setting", "Quality, 95 % interval", "Micro-$ a question", "On Pro", "After Flash", "Against always Pro")
_COST = 2
"""The column of the cost."""
FREE = (
    "Both tiers cost nothing here: the embedded model has no price, so no setting saves money. Quality differs all the "
    "same; in the place of the cost stands the share of questions that Pro answers."
)


@dataclass(frozen=True)
class Told:
    """A frontier with where it comes from; `dataset` and `release` are names with digests."""

    frontier: Frontier
    measured: Measured
    release: str
    digest: str
    flash: str  # the models
    pro: str
    dataset: str
    dataset_digest: str
    measure: str

    @property
    def points(self) -> list[tuple[str, Point]]:
        """The table's rows with what each is: always one tier, as it is now, recommended, and the frontier.

        Of settings that are as good and as dear as each other the first is enough.
        """
        found = self.frontier
        line = {(one.micros, one.quality.value, found.free and one.share): one for one in reversed(found.optimal)}
        rows = [("flash", found.flash), ("pro", found.pro), ("present", found.present)]
        rows += [("held out", found.held_out)] if found.held_out else []
        rows += [("recommended", found.chosen)] if found.chosen else []
        return [*rows, *(("optimal", one) for one in reversed(line.values()) if one != found.chosen)]


def as_markdown(told: Told) -> str:
    """The report for a terminal, without the fragment."""
    found = told.frontier
    parts = [f"### Flash or Pro: {plain(told.release)} on {plain(told.dataset)}", *map(plain, told_of(told))]
    if found.cases:
        rows = [row(f"{_MARKS[kind]}{one.name}", one, told) for kind, one in told.points]
        parts += [table(shown(HEADINGS, told), rows)]
        parts += ["Without a mark: the frontier, no other setting is as good for less. " + _meaning(told)]
    parts += ["**Recommended**", plain(advice(told))]
    return "\n\n".join(parts)


_MARKS = {"flash": "", "pro": "", "present": "● ", "held out": "○ ", "recommended": "★ ", "optimal": ""}


def row(name: str, one: Point, told: Told) -> tuple[str, ...]:
    """A setting in the table."""
    return shown((name, *_cells(one)), told)


def shown(cells: tuple[str, ...], told: Told) -> tuple[str, ...]:
    """A row without the cost where that is nothing for all."""
    return (*cells[:_COST], *cells[_COST + 1 :]) if told.frontier.free else cells


def _meaning(told: Told) -> str:
    held = " ○ what choosing so comes to on questions that it did not see." if told.frontier.held_out else ""
    return f"● as the release is now. ★ recommended.{held}"


def told_of(told: Told) -> Iterator[str]:
    """What was measured, and what has to be known about it, a sentence or two each."""
    found, measured = told.frontier, told.measured
    judge = f", judged by {measured.judge}" if measured.judge else ""
    yield (
        f"{found.cases:,} cases on both tiers ({told.flash} and {told.pro}); {found.routed:,} came to routing. "
        f"Quality is {measured.words}{judge}. {found.tried:,} settings were tried, of which {len(found.points):,} "
        "choose differently; a setting only chooses between answers that are there."
    )
    if told.flash == told.pro and not found.free:
        yield "Both tiers name the same model: they can differ by their settings alone."
    if found.free:
        yield FREE
    if measured.missing:
        yield f"{measured.missing:,} cases were not answered, as the limit was reached: this rests on the others."
    if measured.unscored:
        yield f"{measured.unscored:,} cases have no number on one of the tiers and are left out."
    if measured.failed:
        yield f"In {measured.failed:,} cases an answer broke off: they are left out, and the next run asks again."


def _cells(one: Point) -> tuple[str, ...]:
    """A setting's numbers, as the table has them."""
    return (
        f"{number(one.quality.value)} ({interval(one.quality)})",
        f"{one.micros:,.0f}",
        f"{one.share * 100:.1f} %",
        f"{one.escalated * 100:.1f} %" if one.escalated else "—",
        "—"
        if one.against.value is None or one.name == ALWAYS_PRO
        else f"{one.against.value:+.3f} ({interval(one.against, '+')})",
    )


def number(value: float | None) -> str:
    """A quality."""
    return "—" if value is None else f"{value:.3f}"


def interval(one: Estimate, sign: str = "") -> str:
    """The ends of an interval."""
    if one.low is None or one.high is None:
        return "—"
    return f"{one.low or 0.0:{sign}.3f} to {one.high or 0.0:{sign}.3f}"


def advice(told: Told) -> str:
    """The recommendation as a sentence or more."""
    found, one = told.frontier, told.frontier.chosen
    if one is None:
        return found.why
    said = f"{one.name}: {found.why} Quality {one.quality}, {one.share * 100:.1f} % on Pro"
    if not found.free:
        said += f", {one.micros:,.0f} micro-dollars a question{_saved(found, one)}"
    if held := found.held_out:
        said += f". Chosen so on other questions, quality is {held.quality}"
        said += "" if found.free else f" for {held.micros:,.0f}"
        said += f", {held.against.value or 0.0:+.3f} against always Pro ({interval(held.against, '+')})"
    if _alike(found, one):
        return f"{said}. On these questions that is no other than the release as it is."
    return f"{said}."


def _saved(found: Frontier, one: Point) -> str:
    beside = [(name, other) for name, other in (("always Pro", found.pro), ("now", found.present)) if other.micros]
    told = ", ".join(f"{(one.micros / other.micros - 1) * 100:+.0f} % against {name}" for name, other in beside)
    return f" ({told})" if told else ""


def _alike(found: Frontier, one: Point) -> bool:
    same = found.present
    return (one.micros, one.share, one.escalated, one.quality) == (
        same.micros,
        same.share,
        same.escalated,
        same.quality,
    )


def fragment(told: Told) -> str:
    """The recommended policy as YAML, with its evidence; empty where nothing is recommended."""
    one = told.frontier.chosen
    if one is None or one.policy is None:
        return ""
    lines = [
        f"# `opsplane routing frontier` on {told.dataset} {told.dataset_digest[:12]}, {told.frontier.cases} cases, "
        f"release {told.release}.",
        f"# {one.name}: quality {one.quality} ({told.measured.words}), {one.share * 100:.1f} % on Pro, "
        f"{one.micros:,.0f} micro-dollars a question.",
        "# These lines take the place of `routing:` in a release of a new id. 100000 switches a rule off.",
    ]
    return "\n".join([*(" ".join(line.split()) for line in lines), _written(one.policy)])


def _written(policy: Routing) -> str:
    return yaml.safe_dump({"routing": policy.model_dump(mode="json")}, sort_keys=False)


def as_json(told: Told) -> dict[str, Any]:
    """Everything, every setting included."""
    measured = told.measured
    head = {name: getattr(told, name) for name in ("release", "digest", "flash", "pro", "dataset", "dataset_digest")}
    counts = {name: getattr(measured, name) for name in ("unscored", "failed", "missing", "known", "spent_micros")}
    told_ = {"measure": told.measure, "judge": measured.judge, "advice": advice(told), "fragment": fragment(told)}
    return head | told_ | counts | told.frontier.model_dump(mode="json")


def before(cases: int, expected: Expected) -> str:
    """What will be asked and cost, said before it is."""
    asked = f"{cases:,} cases on two tiers, {expected.asked:,} questions to be asked"
    if expected.unpriced:
        about = f" for about {dollars(expected.micros)}" if expected.micros else ""
        return f"{asked}{about}; the price of {', '.join(expected.unpriced)} is not known."
    return f"{asked}, {f'for about {dollars(expected.micros)}' if expected.micros else 'at no cost'}."


def after(measured: Measured) -> str:
    """What was known and what was spent."""
    spent = dollars(measured.spent_micros) if measured.spent_micros else "nothing"
    return f"{measured.known:,} answers were known from before; spent {spent}."
