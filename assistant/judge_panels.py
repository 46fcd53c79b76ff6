"""Judges in the chat: who has a vote and why, and one calibration with everything that it rests on."""

from assistant.panels import Download, Panel, moment, plain, table
from opsplane.evaluation.calibration import Calibration
from opsplane.evaluation_events import JudgeCalibrated
from opsplane.judges import Seen
from opsplane.policy import Judges
from opsplane.state import State


def listed(state: State, here: str, seen: Seen, floors: Judges) -> Panel:
    """Every judge that was calibrated, and the one that judges here."""
    parts = ["### Judges"]
    if here:
        vote = "It **votes**: its scores count in gates and rollouts." if state.votes(here) else _mute(state, here)
        parts.append(f"Here judges {plain(here)}. {vote}")
        parts.append(
            f"It scored {seen.scored:,} answers that people labelled and left {seen.unscored:,} unscored; the policy "
            f"asks for {floors.labels} scored ones."
        )
    rows = [
        (one.judge, "votes" if one.votes else "no vote", _agreement(one), str(one.labels), one.reason or "—")
        for one in state.judges.values()
    ]
    if rows:
        parts.append(table(("Judge", "Vote", "Agreement with people (95 %)", "Labels", "Why not"), rows))
    else:
        parts.append("No judge was held against people yet: `/judge calibrate`, or the job of that name every night.")
    parts.append(
        f"The floor is an agreement (Krippendorff's alpha) of {floors.agreement:g}. Another model or prompt is another "
        "judge, and begins without a vote. Labels come from `/review`."
    )
    return Panel("\n\n".join(parts))


def calibrated(found: Calibration) -> Panel:
    """One calibration: agreement, bias, drift, and the verdict."""
    verdict = "It **votes**." if found.votes else "It has **no vote**."
    rows = [
        ("Agreement with people (Krippendorff's alpha)", str(found.agreement)),
        ("Reviewers among themselves", str(found.ceiling)),
        ("Same verdict, right or wrong", str(found.raw)),
        ("Cohen's kappa, right or wrong", str(found.kappa)),
        ("Cohen's kappa on five grades, quadratic weights", str(found.weighted)),
        ("Rank correlation (Spearman)", str(found.spearman)),
        ("Bias by length", str(found.length)),
        ("Decided by the order of two answers", str(found.position.swayed)),
        ("Drift", "found" if found.drift.found else "none found"),
    ]
    parts = [
        f"### Calibration of {plain(found.judge)}",
        f"{verdict} Answers that people labelled and it scored: {found.labels:,}; that it left unscored: "
        f"{found.unscored:,}. Reviewers: {found.reviewers}.",
        table(("Measure", "Value (95 % interval)"), rows),
    ]
    parts += ["**Why it has no vote**", _list(found.reasons)] if found.reasons else []
    parts += [_list(found.notes)] if found.notes else []
    parts.append(f"As of {moment(found.at)} UTC; report {found.digest[:12]}.")
    return Panel("\n\n".join(parts), Download("calibration.json", "application/json", found.content))


def _mute(state: State, judge: str) -> str:
    if judge not in state.judges:
        return "It has **no vote** yet: it was never held against people's labels."
    return f"It has **no vote**: {plain(state.judges[judge].reason)}"


def _agreement(one: JudgeCalibrated) -> str:
    if one.agreement is None:
        return "—"
    between = (
        f" ({one.low / 1000:.2f} to {one.high / 1000:.2f})" if one.low is not None and one.high is not None else ""
    )
    return f"{one.agreement / 1000:.2f}{between}"


def _list(lines: tuple[str, ...]) -> str:
    return "\n".join(f"- {plain(line)}" for line in lines)
