"""Rollouts as Markdown and tables: the one in progress, what is about to be done, what was done, what there was."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from assistant import rollout_figures as figures
from assistant.intents import PATIENCE
from assistant.panels import Download, Panel, cut, moment, plain, table
from opsplane.access import Role
from opsplane.approval import Request
from opsplane.intent import Done, Intent
from opsplane.rollouts.closing import Closing, as_json, digest, e_value
from opsplane.rollouts.closing_page import as_html
from opsplane.rollouts.judgement import UNEVEN, Verdict
from opsplane.rollouts.metrics import WORDS
from opsplane.rollouts.plan import Kind, Plan, percent
from opsplane.rollouts.rollout import Rollout, Status
from opsplane.rollouts.watcher import Watched
from opsplane.state import State

PAST = 5
"""Rollouts of the past that are shown where none is in progress."""
_WHY = 200  # characters of a reason in a table
_TITLES = {
    "rollout": "Rollout",
    "rollback": "Rollback",
    "freeze": "Freeze",
    "unfreeze": "Unfreeze",
    "killswitch": "Kill switch",
}


def status(
    state: State, watched: Watched | None, now: datetime, plans: Mapping[str, Plan], request: Request | None = None
) -> Panel:
    """The page of the rollout in progress, which `request` allowed; where there is none, what can be started."""
    if watched is None:
        return _idle(state, now, plans)
    rollout, summary, judgement = watched.rollout, watched.summary, watched.judgement
    names = [state.short(one) for one in rollout.candidates]
    parts = [
        f"### {rollout.plan.kind.value.capitalize()} {plain(rollout.id)} of {plain(', '.join(names))}",
        *_standstills(state, now),
        f"**{judgement.verdict.value.capitalize()}:** {plain(judgement.reason)}",
        f"**Next:** {plain(_next(rollout))} {plain(_blocked(state, watched, now))}",
        table(("", ""), _facts(state, rollout, now, request)),
        table(("For the next step", "Is", "Wanted"), _wanted(watched, names, now)),
    ]
    for number, name in enumerate(names, 1):
        looks = [one for one in summary.looks if one.candidate == number]
        parts += [f"**{plain(name)} against {plain(state.short(rollout.stable))}**, in points"]
        parts += [figures.metrics(looks, rollout.plan, rollout.step)]
    parts += [
        "Differences go by customers and by the share at the time, so that they are not always those of the two means. "
        "In brackets: between what they lie, at every look at once.",
        _split(watched),
    ]
    picture = figures.figure(summary, names)
    if picture is None:
        return Panel("\n\n".join([*parts, "There is no exchange yet that tells the sides apart."]))
    file = Download(f"rollout-{rollout.id}.csv", "text/csv", figures.as_csv(summary, names))
    return Panel("\n\n".join(parts), file, picture)


def _idle(state: State, now: datetime, plans: Mapping[str, Plan]) -> Panel:
    parts = ["### Rollout", *_standstills(state, now), f"No rollout is in progress. {_serving(state)}"]
    parts.append(
        "`/rollout start <release> plan=<plan>` puts a release beside the stable one; `/releases` lists the releases. "
        "The plans:"
    )
    parts.append(_plans(plans))
    if state.past:
        parts += ["Before:", _rollouts(state, state.past[: -PAST - 1 : -1]), "`/rollout list` shows all."]
    return Panel("\n\n".join(parts))


def banner(state: State, now: datetime) -> str:
    """Who serves whom, and what stands in the way of any change, for pages about something else."""
    return "\n\n".join([*_standstills(state, now), _serving(state)])


def _standstills(state: State, now: datetime) -> Iterator[str]:
    if one := state.killed:
        why = f": {plain(one.reason)}" if one.reason else ""
        yield (
            f"**THE KILL SWITCH IS ON**, since {moment(one.at)} UTC by {plain(one.by.id)}{why}. Every customer gets "
            "the holding message. `/killswitch off` asks a second person to end that."
        )
    if one := state.frozen_at(now):
        end = f"until {moment(one.until)} UTC" if one.until else "until `/unfreeze`"
        yield f"**Changes are frozen** {end}, by {plain(one.by.id)}: {plain(one.reason)}."


def _serving(state: State) -> str:
    """Who serves whom, in one sentence."""
    stable, rollout = plain(state.short(state.stable)), state.rollout
    if state.killed:
        return "The holding message is all that customers get."
    if not state.stable:
        return "No release serves anybody yet."
    if rollout is None:
        return f"**{stable}** serves every customer."
    share = percent(rollout.share)
    names = ", ".join(f"**{plain(state.short(one))}**" for one in rollout.candidates)
    match rollout.plan.kind:
        case Kind.CANARY:
            rest = f", **{stable}** the others" if rollout.share < 10_000 else ""
            return f"{names} serves {share} of the customers{rest}."
        case Kind.EXPERIMENT:
            rest = f"; **{stable}** serves the others" if rollout.share < 10_000 else ""
            return f"{share} of the customers are divided equally between **{stable}**, {names}{rest}."
    answers = "answers" if rollout.status is Status.RUNNING else "is paused and answers none, later"
    return f"**{stable}** serves every customer; {names} {answers} {share} of the questions too, unseen."


def _next(rollout: Rollout) -> str:
    if rollout.plan.kind is not Kind.CANARY:
        return f"The {rollout.plan.kind.value} is concluded with a report."
    if rollout.last:
        return "The candidate is promoted and serves every customer."
    return f"{percent(rollout.plan.steps[rollout.step + 1].parts)} of the customers."


def _blocked(state: State, watched: Watched, now: datetime) -> str:
    """What stands in the way of the next step."""
    judgement = watched.judgement
    if state.killed:
        return "Blocked by the kill switch."
    if judgement.verdict is Verdict.FAILED:
        return "Blocked for good: it is aborted at the next look."
    if state.frozen_at(now):
        return "Blocked by the freeze."
    if watched.rollout.status is Status.PAUSED:
        return "Blocked by a pause: /rollout resume goes on."
    if judgement.verdict is Verdict.PASSED:
        return (
            f"Blocked: {judgement.gate}" if judgement.gate else "Nothing stands in the way: it comes at the next look."
        )
    return f"Blocked while the verdict is {judgement.verdict.value}."


def _facts(state: State, rollout: Rollout, now: datetime, request: Request | None) -> Iterator[tuple[str, str]]:
    plan_ = rollout.plan
    names = ", ".join(state.short(one) for one in rollout.candidates)
    yield "Candidates" if len(rollout.candidates) > 1 else "Candidate", names
    yield "Stable", state.short(rollout.stable)
    yield "Plan", f"{plan_.id} ({plan_.digest[:12]})"
    yield "Step", f"{rollout.step + 1} of {len(plan_.steps)}: {percent(rollout.share)}"
    yield "Is", f"{rollout.status.value}, at this step since {moment(rollout.since)} UTC"
    end = "concluded" if plan_.kind is Kind.EXPERIMENT else "over, with everybody back on stable"
    yield "Deadline", f"{moment(rollout.deadline)} UTC, {_ahead(rollout.deadline, now)}; undecided by then it is {end}"
    yield "Started", f"{moment(rollout.at)} UTC by {rollout.maker.id}"
    yield "Why", rollout.story[0].reason or "—"
    yield "Approved", _agreed(rollout, request)


def _ahead(at: datetime, now: datetime) -> str:
    return f"in {figures.lasting(at - now)}" if at > now else "which is past"


def _agreed(rollout: Rollout, request: Request | None) -> str:
    if not rollout.request:
        return "nobody else had to agree"
    if request and request.decider:
        return f"by {request.decider.id}, {moment(request.decided)} UTC (request {request.id})"
    return f"request {rollout.request}"


def _wanted(watched: Watched, names: Sequence[str], now: datetime) -> Iterator[tuple[str, str, str]]:
    rollout, summary = watched.rollout, watched.summary
    step = rollout.plan.steps[rollout.step]
    for name, customers, exchanges in zip(names, summary.customers[1:], summary.exposures[1:], strict=True):
        side = f" on {name}" if len(names) > 1 else " on the candidate"
        yield f"Customers{side}", f"{customers:,}", f"{step.customers:,}"
        yield f"Exchanges{side}", f"{exchanges:,}", f"{step.exchanges:,}"
    left = rollout.hold_left(now)
    yield "Held", f"{figures.lasting(left)} left" if left else "long enough", figures.lasting(step.hold)


def _split(watched: Watched) -> str:
    summary = watched.summary
    if watched.rollout.plan.kind is Kind.SHADOW:
        return "**Split:** every question is answered on both sides, so that there is none to check."
    told = " · ".join(
        f"{'stable' if arm == 0 else 'candidate' if len(summary.customers) == 2 else f'candidate {arm}'} {count:,}"
        for arm, count in enumerate(summary.customers)
    )
    verdict = "**not as it should be**" if summary.ratio >= UNEVEN else "as it should be"
    e = f"e = {figures.number(e_value(summary.ratio))}, alarm at {figures.number(e_value(UNEVEN))}"
    return f"**Split of customers:** {told}; {verdict} ({plain(e)})."


def proposed(intent: Intent, *, terminal: bool = False) -> Panel:
    """What will be done; in a chat also how to say yes."""
    parts = [f"### {_TITLES.get(intent.command, intent.command.capitalize())}", intent.words]
    if intent.deed.reason:
        parts.append(f"Why: {plain(intent.deed.reason)}")
    if not terminal:
        minutes = int(PATIENCE.total_seconds() // 60)
        parts.append(f"Answer **yes** within {minutes} minutes to go on; anything else leaves everything as it is.")
    return Panel("\n\n".join(parts))


def done(one: Done, deciders: Sequence[Role] = ()) -> Panel:
    """The state after a deed, or the request that waits now; `deciders` are who may decide one that names nobody."""
    if one.request:
        return _asked(one.request, one.state, deciders)
    state, newest = one.state, one.state.newest
    parts = ["### Done", _serving(state)]
    if rollout := state.rollout:
        step = f"step {rollout.step + 1} of {len(rollout.plan.steps)} at {percent(rollout.share)}"
        parts.append(
            f"Rollout {plain(rollout.id)} is {rollout.status.value}: {plain(step)}. `/rollout status` shows it."
        )
    elif newest and state.past and state.past[-1].ended == newest.at:
        over = state.past[-1]
        told = plain(_ended(state, over))
        parts.append(f"Rollout {plain(over.id)}: {told}. `/rollout report {over.id}` is its closing report.")
    return Panel("\n\n".join([*parts, *(_standstills(state, newest.at) if newest else ())]))


def _asked(one: Request, state: State, deciders: Sequence[Role]) -> Panel:
    roles = one.details.get("approvers", "").split(",") if one.details.get("approvers") else [str(r) for r in deciders]
    who = f"{' or '.join(roles)}, but not {one.maker.id}" if roles else f"not {one.maker.id}"
    until = f" It lapses on {moment(one.until)} UTC." if one.until else ""
    return Panel(
        f"### Request {plain(one.id)}\n\nTo {plain(one.action.replace('-', ' '))}: {plain(one.subject)}.\n\n"
        f'A second person ({plain(who)}) decides: `/approve {one.id}` or `/reject {one.id} reason="…"`.{until}\n\n'
        f"Until then nothing changes: {_serving(state)}"
    )


def history(state: State) -> Panel:
    """Every rollout, newest first."""
    every = [*([state.rollout] if state.rollout else []), *reversed(state.past)]
    if not every:
        return Panel("### Rollouts\n\nThere was none yet. `/rollout start <release> plan=<plan>` begins one.")
    return Panel(f"### Rollouts\n\n{_rollouts(state, every)}\n\n`/rollout report <id>` is a rollout's closing report.")


def _rollouts(state: State, every: Sequence[Rollout]) -> str:
    rows = [
        (
            one.id,
            one.plan.kind.value,
            ", ".join(state.short(each) for each in one.candidates),
            one.plan.id,
            moment(one.at),
            moment(one.ended),
            _ended(state, one),
        )
        for one in every
    ]
    return table(("Id", "Kind", "Candidate", "Plan", "Started (UTC)", "Ended (UTC)", "How it ended"), rows)


def _ended(state: State, one: Rollout) -> str:
    """How a rollout ended, with its cause or its winner."""
    why = f": {cut(one.story[-1].reason, _WHY)}" if one.story[-1].reason else ""
    match one.status:
        case Status.ABORTED:
            return f"aborted ({one.cause.replace('_', ' ')}){why}"
        case Status.PROMOTED:
            return f"promoted{why}"
        case Status.CONCLUDED:
            return f"concluded, {f'winner {state.short(one.winner)}' if one.winner else 'no winner'}{why}"
    return f"{one.status.value}, step {one.step + 1} of {len(one.plan.steps)} at {percent(one.share)}"


def plans(every: Mapping[str, Plan]) -> Panel:
    """The plans that a rollout can go by."""
    return Panel(f"### Plans\n\n{_plans(every)}\n\n`/rollout plans <plan>` shows all of one.")


def _plans(every: Mapping[str, Plan]) -> str:
    if not every:
        return "There is no plan: put one into the folder of plans."
    rows = [
        (
            one.id,
            one.kind.value,
            one.shares,
            figures.lasting(one.deadline),
            one.note,
        )
        for one in every.values()
    ]
    return table(("Plan", "Kind", "Steps", "Deadline", ""), rows)


def plan(one: Plan) -> Panel:
    """Everything that a plan lays down."""
    steps = [
        (
            str(number),
            percent(step.parts),
            figures.lasting(step.hold),
            f"{step.customers:,}",
            f"{step.exchanges:,}",
            "by hand" if step.approval or one.advance == "manual" else "by itself",
        )
        for number, step in enumerate(one.steps, 1)
    ]
    measures = [
        (
            WORDS[each.metric],
            "guardrail" if each in one.guardrails else "quality",
            " → ".join(figures.points(one.borne(each, number)) for number in range(len(one.steps))),
            f"{each.cap:,}" if each.cap else "—",
            "yes" if each.needed else "no",
        )
        for each in one.measures
    ]
    parts = [f"### Plan {plain(one.id)}", plain(one.note), table(("", ""), _rules(one)), "**Steps**"]
    parts.append(table(("Step", "Share", "Held", "Customers at least", "Exchanges at least", "Left"), steps))
    parts += ["**Metrics**, with the harm that is borne at each step in points"]
    parts.append(table(("Metric", "Is a", "Borne", "Cap", "Needed"), measures))
    return Panel("\n\n".join(part for part in parts if part))


def _rules(one: Plan) -> Iterator[tuple[str, str]]:
    yield "Kind", one.kind.value
    yield "Digest", one.digest
    yield "Goes on", "by itself" if one.advance == "automatic" else "by hand"
    yield "Deadline", figures.lasting(one.deadline)
    yield "False alarms", f"{one.alpha * 100:g} % at most over the whole rollout, {one.each * 100:.3g} % a metric"
    yield "Counted", "every exchange, by customer" if one.test == "clustered" else "each customer's first exchange"
    yield "Agreed to by a second person", " and ".join(one.approve) or "what the policy asks for"
    yield "Who may agree", " or ".join(role.value for role in one.approvers)


def closing(one: Closing) -> Panel:
    """How a rollout ended, with the whole report as an HTML file and as JSON."""
    end = one.end
    names = plain(", ".join(each.release for each in one.candidates))
    how = f"{end.status.value}" + (f" ({end.cause.replace('_', ' ')})" if end.cause else "")
    rows = [
        (
            f"{each.words} ({one.candidates[each.candidate - 1].release})" if len(one.candidates) > 1 else each.words,
            figures.points(each.stable.mean),
            figures.points(each.tried.mean),
            figures.difference(each.difference, each.interval),
            f"{figures.number(e_value(each.log_e))} of {figures.number(e_value(each.log_threshold))}",
        )
        for each in one.metrics
    ]
    parts = [
        f"### {'Closing report' if end.over else 'Report so far'} of {one.kind.value} {plain(one.rollout)}",
        f"{names} beside {plain(one.stable)}, by plan {plain(one.plan.id)}: **{plain(how)}**"
        + (f", {moment(end.at)} UTC." if end.at else ", not over yet."),
        *(plain(line) for line in (end.finding, f"Verdict {end.verdict}: {end.reason}") if line),
        *([f"**Zero tolerance:** {plain(end.zero)}, exchange {plain(end.zero_exchange)}."] if end.zero else []),
        *([f"Not chosen: {plain(', '.join(one.losers))}."] if one.losers else []),
        table(("Metric", "Stable", "Candidate", "Difference", "e-value"), rows),
        f"SHA-256 of the JSON file: `{digest(one)}`",
    ]
    page = Download(f"rollout-{one.rollout}.html", "text/html", as_html(one).encode(errors="replace"))
    data = Download(f"rollout-{one.rollout}.json", "application/json", as_json(one).encode())
    return Panel("\n\n".join(parts), page, downloads=(data,))
