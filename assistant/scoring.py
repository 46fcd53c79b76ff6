"""The scorers and the judge of a run: which there can be here, and which are asked for."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from assistant import account_tools, judging
from assistant.judging import Kit
from assistant.settings import Settings
from assistant.workshop import Workshop
from knowledge.embedding import MiniLM
from opsplane.errors import InvalidRequest
from opsplane.evaluation.judge import Judge, JudgeScorer
from opsplane.evaluation.pairwise import PairJudge
from opsplane.evaluation.scorers import roster
from opsplane.evaluation.scorers.support import by_rules
from opsplane.evaluation.scoring import Scorer
from opsplane.exchange import Exchange
from opsplane.guardrails.support import WEIGHTS, Support
from opsplane.release import Prompt, Release

JUDGE = "judge"
NONE = "none"
"""In place of a judge: nobody judges."""
TOOLS = frozenset(one.name for one in account_tools.tools())
"""The account tools, which cases name as they name documents."""


@dataclass(frozen=True)
class Bench:
    """Who scores a run; `judge` is None where nobody judges."""

    scorers: tuple[Scorer, ...]
    judge: Judge | None

    @property
    def identity(self) -> str:
        """The judge's name with its digest, or empty."""
        return self.judge.identity if self.judge else ""


def bench(shop: Workshop, release: Release, names: Sequence[str] = (), judge: str = "") -> Bench:
    """The scorers of these names, or all that there can be; `judge` goes before the release's and the setting's.

    Raises `InvalidRequest` for a scorer or a judge that there is not, or cannot be here.
    """
    wanted = who(release, shop.settings, judge)
    kit = kit_of(shop, release)
    if names and JUDGE not in names:
        wanted = ()
    if JUDGE in names and not wanted:
        raise InvalidRequest(f"The scorer {JUDGE} needs a judge, and --judge {NONE} says that nobody judges.")
    one = judging.judge(wanted, kit) if wanted else None
    language = [name for name in wanted if name != judging.EMBEDDED]
    parts = roster.Parts(
        reader=judging.reader(language[0], kit) if language else None,
        support=by_rules(_neutral(release), kit.support),
        support_name=f"rules+grounding@{weights()[:12]}",
        encode=shop.embeddings.encode,
        encoder=MiniLM.name,
        reported=_likely,
        tools=TOOLS,
    )
    others = [name for name in names if name != JUDGE] if names else roster.possible(parts)
    chosen = roster.chosen(others, parts)
    return Bench((*chosen, JudgeScorer(one)) if one else tuple(chosen), one)


def pair_judge(shop: Workshop, release: Release, judge: str = "") -> PairJudge:
    """The judge of pairs that goes with the judge of single answers; raises what `bench` does."""
    return judging.pair_judge(who(release, shop.settings, judge), kit_of(shop, release))


def who(release: Release, settings: Settings, judge: str = "") -> tuple[str, ...]:
    """The judges by name; none where that is said."""
    own = release.models.judge.name if release.models.judge else ""
    told = judge or own or settings.judge
    return () if told == NONE else judging.names(told)


def kit_of(shop: Workshop, release: Release) -> Kit:
    """What judges are made with under a release."""
    own = release.models.judge
    kit = Kit(shop.prices, shop.embeddings, MiniLM.name, Support.load(), release)
    if own is None:
        return kit
    return Kit(
        kit.prices,
        kit.embeddings,
        kit.encoder,
        kit.support,
        release,
        seconds=own.timeout_seconds,
        settings=own.settings,
    )


def _likely(exchange: Exchange) -> list[float] | None:
    """The mean log-probability of an answer's tokens, where its model told them."""
    mean = exchange.logprob_millionths
    return None if mean is None else [mean / 1_000_000]


def _neutral(release: Release) -> Release:
    """A release without a prompt of its own, so that two releases are scored by the same rules."""
    return release.model_copy(update={"prompt": Prompt(system=judging.NEUTRAL)})


def weights() -> str:
    """SHA-256 of the grounding model's weights."""
    return str(json.loads((WEIGHTS / "grounding.json").read_text(encoding="utf-8"))["sha256"])
