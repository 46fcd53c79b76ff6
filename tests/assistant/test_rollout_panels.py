"""What people are shown of rollouts: nothing yet, one in progress, what will be done, what was done, how it ended."""

import json
import re
from datetime import timedelta
from pathlib import Path

import pytest

from assistant import rollout_panels as panels
from assistant.panels import Panel
from opsplane import requests, steering
from opsplane.access import Role
from opsplane.control_events import (
    ChangesFrozen,
    KillSwitchPulled,
    RolloutAborted,
    RolloutAdvanced,
    RolloutConcluded,
    RolloutPaused,
    RolloutPromoted,
)
from opsplane.intent import Done
from opsplane.ledger.store import Ledger
from opsplane.rollouts.closing import as_json, digest
from opsplane.rollouts.rollout import STABLE
from opsplane.seconding import REVIVE, START, actions
from tests import fakes
from tests.opsplane.rollouts.test_closing import EXPERIMENT, SHADOW, THREE, TWO, Stage, half

HOSTILE = "<img src=x> [here](http://bad.example) | **bold**"


@pytest.fixture
def record_url(tmp_path: Path) -> str:
    """SQLite alone: what is shown does not depend on the database."""
    return f"sqlite:///{tmp_path / 'record.db'}"


@pytest.fixture
def stage(ledger: Ledger) -> Stage:
    return Stage(ledger)


def told(panel: Panel) -> str:
    """The text without the backslashes that keep Markdown from meaning anything."""
    return panel.text.replace("\\", "")


def inert(panel: Panel) -> bool:
    """Whether no tag and no link of the hostile reason comes to life."""
    return not re.search(r"(?<!\\)(<img|\]\(|\*bold)", panel.text)


def status(stage: Stage) -> Panel:
    return panels.status(stage.state, stage.watcher.watched(), stage.ledger.clock(), fakes.plans())


def test_without_a_rollout_it_says_what_serves_and_how_to_start(stage: Stage) -> None:
    panel = status(stage)
    assert "No rollout is in progress. **test-1@" in told(panel)
    assert "`/rollout start <release> plan=<plan>`" in panel.text
    assert "| test | canary | 10 % → 50 % → 100 % | 14 d |" in told(panel)
    assert panel.figure is None
    assert "Before:" not in panel.text


def test_before_the_first_release_nobody_is_served(stage: Stage) -> None:
    empty = panels.status(type(stage.state)(), None, fakes.NOON, {})
    assert "No release serves anybody yet." in empty.text
    assert "There is no plan" in empty.text


def test_past_rollouts_are_told_where_none_is_in_progress(stage: Stage) -> None:
    stage.start()
    stage.put(RolloutAborted(rollout="r0000001", cause="guardrail", reason=HOSTILE))
    panel = status(stage)
    assert "aborted (guardrail): <img" in told(panel)
    assert inert(panel)


def test_a_running_rollout_is_told_with_step_verdict_and_deadline(stage: Stage) -> None:
    stage.start(reason=HOSTILE)
    panel = status(stage)
    assert f"### Canary r0000001 of {TWO.short}" in told(panel)
    assert "**Inconclusive:** Too few to tell: 0 of 2 customers" in told(panel)
    assert "**Next:** 50 % of the customers. Blocked while the verdict is inconclusive." in told(panel)
    assert "| Step | 1 of 3: 10 % |" in told(panel)
    assert "2026-12-07 17:00:00 UTC, in 14 d; undecided by then it is over" in told(panel)
    assert "| Started | 2026-11-23 17:00:00 UTC by operator |" in told(panel)
    assert inert(panel)
    assert "no exchange yet" in panel.text


def test_one_customer_alone_has_no_interval_yet(stage: Stage) -> None:
    stage.start(half())
    stage.ask("C-1")
    panel = status(stage)
    assert "not known yet" in panel.text
    assert panel.figure is None
    assert panel.download is None


def test_the_numbers_come_as_table_plot_and_file(stage: Stage) -> None:
    stage.start(half())
    stage.crowd(80)
    panel = status(stage)
    assert f"**{TWO.short} against test-1@" in told(panel)
    assert "| answered | 100.0 → 100.0 |" in told(panel)
    assert "as it should be (e = " in told(panel)
    assert panel.figure is not None
    assert panel.download is not None
    assert panel.download.name == "rollout-r0000001.csv"
    assert panel.download.content.count(b"\n") == len(panel.figure["data"][0]["x"]) + 1


def test_what_blocks_the_next_step_is_named(stage: Stage) -> None:
    stage.start(half(advance="manual", guardrails=[{"metric": "answered", "harm": 0.5}]))
    stage.crowd(80)
    assert "The plan goes on by hand: /rollout advance." in told(status(stage))
    stage.put(RolloutPaused(rollout="r0000001", reason=""))
    assert "Blocked by a pause" in told(status(stage))
    stage.put(ChangesFrozen(reason=HOSTILE))
    assert "Blocked by the freeze." in told(status(stage))
    stage.put(KillSwitchPulled(reason="burning"))
    panel = status(stage)
    assert "**THE KILL SWITCH IS ON**" in panel.text
    assert "**Changes are frozen** until `/unfreeze`, by operator: <img" in told(panel)
    assert "Blocked by the kill switch." in told(panel)
    assert inert(panel)


def test_a_hold_time_is_counted_down(stage: Stage, clock: fakes.Clock) -> None:
    stage.start(fakes.plan(steps=[{"share": 50, "hold": "2h"}]))
    clock.at += timedelta(minutes=30)
    panel = status(stage)
    assert "| Held | 1 h 30 min left | 2 h |" in panel.text
    assert "The candidate is promoted and serves every customer." in told(panel)
    clock.at += timedelta(hours=2)
    assert "| Held | long enough | 2 h |" in status(stage).text


def test_a_deadline_that_is_over_is_told(stage: Stage, clock: fakes.Clock) -> None:
    stage.start()
    clock.at += timedelta(days=15)
    assert "which is past" in status(stage).text


def test_the_request_that_allowed_it_is_told_with_the_approver(stage: Stage) -> None:
    request = requests.make(stage.ledger, actions(stage.watcher.helm)[START], "test-2", "case 1", fakes.OPERATOR)
    stage.start(request=request.id)
    watched = stage.watcher.watched()
    assert f"| Approved | request {request.id} |" in told(status(stage))
    agreed = type(request)(**vars(request) | {"decider": fakes.APPROVER, "decided": fakes.NOON})
    panel = panels.status(stage.state, watched, fakes.NOON, {}, agreed)
    assert f"by approver, 2026-11-23 17:00:00 UTC (request {request.id})" in told(panel)


def test_several_candidates_have_a_table_each(stage: Stage) -> None:
    stage.start(fakes.plan(**EXPERIMENT), (TWO.digest, THREE.digest))
    stage.crowd(80, bad=STABLE)
    panel = status(stage)
    for one in (TWO, THREE):
        assert f"**{one.short} against test-1@" in told(panel)
        assert f"Customers on {one.short}" in told(panel)
    assert "candidate 2 " in told(panel)
    assert panel.figure is not None
    assert panel.figure["data"][0]["name"] == f"{TWO.short}: answered"


def test_a_shadow_has_no_split(stage: Stage) -> None:
    stage.start(fakes.plan(**SHADOW))
    panel = status(stage)
    assert "### Shadow" in panel.text
    assert "there is none to check" in panel.text
    assert "The shadow is concluded with a report." in told(panel)


def test_a_proposal_asks_for_a_yes_and_tells_why(stage: Stage) -> None:
    intent = steering.kill(stage.state, stage.watcher.helm, HOSTILE)
    panel = panels.proposed(intent)
    assert panel.text.startswith("### Kill switch\n\n**Every customer gets the holding message")
    assert panel.text.endswith("Answer **yes** within 10 minutes to go on; anything else leaves everything as it is.")
    assert inert(panel)
    assert "yes" not in panels.proposed(intent, terminal=True).text


def test_after_a_deed_the_state_is_told(stage: Stage) -> None:
    stage.start()
    text = told(panels.done(Done(stage.state)))
    assert f"**{TWO.short}** serves 10 % of the customers, **test-1@" in text
    assert "Rollout r0000001 is running: step 1 of 3 at 10 %." in text
    stage.put(RolloutAdvanced(rollout="r0000001", step=1))
    stage.put(RolloutPromoted(rollout="r0000001", digest=TWO.digest, reason="good"))
    text = told(panels.done(Done(stage.state)))
    assert f"**{TWO.short}** serves every customer." in text
    assert "Rollout r0000001: promoted: good. `/rollout report r0000001`" in text


def test_after_a_freeze_and_a_kill_both_are_told(stage: Stage) -> None:
    stage.put(ChangesFrozen(until=(fakes.NOON + timedelta(hours=1)).isoformat(), reason="holidays"))
    assert "**Changes are frozen** until 2026-11-23 18:00:00 UTC" in panels.done(Done(stage.state)).text
    stage.put(KillSwitchPulled(reason="burning"))
    text = panels.done(Done(stage.state)).text
    assert "The holding message is all that customers get." in text
    assert "**THE KILL SWITCH IS ON**" in text


def test_an_experiment_and_a_shadow_tell_who_serves_whom(stage: Stage) -> None:
    stage.start(fakes.plan(kind="experiment", steps=[{"share": 60}]), (TWO.digest, THREE.digest))
    text = told(panels.done(Done(stage.state)))
    assert f", **{TWO.short}**, **{THREE.short}**; **test-1@" in text
    stage.put(RolloutConcluded(rollout="r0000001", reason="enough"))
    assert "concluded, no winner: enough" in told(panels.done(Done(stage.state)))
    stage.start(fakes.plan(**SHADOW), rollout="r0000002")
    assert f"**{TWO.short}** answers 100 % of the questions too, unseen." in told(panels.done(Done(stage.state)))


def test_a_request_that_waits_names_who_decides_and_until_when(stage: Stage) -> None:
    action = actions(stage.watcher.helm)[START]
    one = requests.make(stage.ledger, action, TWO.short, "case 1", fakes.OPERATOR, approvers="approver,reviewer")
    text = told(panels.done(Done(stage.state, one)))
    assert f"To start rollout: {TWO.short}." in text
    assert "(approver or reviewer, but not operator)" in text
    assert f"`/approve {one.id}`" in text
    assert "It lapses on 2026-11-24 17:00:00 UTC." in text
    assert "Until then nothing changes: **test-1@" in text


def test_a_request_that_names_nobody_is_decided_by_those_of_the_policy(stage: Stage) -> None:
    one = requests.make(stage.ledger, actions(stage.watcher.helm)[REVIVE], "kill switch", "over", fakes.OPERATOR)
    assert "(approver, but not operator)" in told(panels.done(Done(stage.state, one), (Role.APPROVER,)))
    assert "A second person (not operator) decides" in told(panels.done(Done(stage.state, one)))


def test_the_history_lists_every_rollout_newest_first(stage: Stage) -> None:
    assert "There was none yet." in panels.history(stage.state).text
    stage.start()
    stage.put(RolloutAborted(rollout="r0000001", cause="zero_tolerance", reason=HOSTILE))
    stage.start(rollout="r0000002")
    text = told(panels.history(stage.state))
    assert text.index("r0000002") < text.index("r0000001")
    assert "running, step 1 of 3 at 10 %" in text
    assert "aborted (zero tolerance): <img" in text
    assert inert(panels.history(stage.state))


def test_a_winner_is_named_in_the_history(stage: Stage) -> None:
    stage.start(fakes.plan(**EXPERIMENT))
    stage.put(RolloutConcluded(rollout="r0000001", winner=TWO.digest, reason="best"))
    assert f"concluded, winner {TWO.short}: best" in told(panels.history(stage.state))


def test_a_plan_is_told_whole() -> None:
    one = fakes.plan(note="By <b>hand</b>.", advance="manual", quality=[{"metric": "thumbs", "harm": 0.1}])
    text = told(panels.plan(one))
    assert one.digest in text
    assert "| 1 | 10 % | none | 2 | 4 | by hand |" in text
    assert "| answered | guardrail | 20.0 → 10.0 → 10.0 | — | yes |" in text
    assert "| thumbs up | quality |" in text
    assert "<b>" not in panels.plan(one).text
    assert "`/rollout plans <plan>`" in panels.plans({"test": one}).text


def test_a_closing_report_comes_with_both_files(stage: Stage) -> None:
    stage.start(half())
    stage.crowd(80, bad="candidate")
    stage.watcher.look_now()
    closing = stage.closing()
    panel = panels.closing(closing)
    assert "### Closing report of canary r0000001" in told(panel)
    assert "**aborted (guardrail)**" in told(panel)
    assert f"`{digest(closing)}`" in panel.text
    assert panel.download is not None
    assert panel.download.content.startswith(b"<!DOCTYPE html>")
    (data,) = panel.downloads
    assert data.content.decode() == as_json(closing)
    assert json.loads(data.content)["rollout"] == "r0000001"


def test_a_report_of_one_in_progress_says_so(stage: Stage) -> None:
    stage.start(fakes.plan(**EXPERIMENT), (TWO.digest, THREE.digest))
    panel = panels.closing(stage.closing())
    assert "### Report so far of experiment" in panel.text
    assert "not over yet" in panel.text
    assert f"answered ({THREE.short})" in told(panel)


def test_the_losers_of_an_experiment_are_named(stage: Stage) -> None:
    stage.start(fakes.plan(**EXPERIMENT), (TWO.digest, THREE.digest))
    stage.put(RolloutConcluded(rollout="r0000001", winner=TWO.digest, reason="best"))
    assert f"Not chosen: {THREE.short}." in told(panels.closing(stage.closing()))
