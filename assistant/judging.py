"""The judge that is wanted: the embedded one, a language model that LangChain knows, or several as a panel."""

import asyncio
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from langchain.chat_models import init_chat_model
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage

from assistant import estimate, llm, logprobs
from assistant.extractive.confidence import Encoder
from opsplane.errors import InvalidRequest
from opsplane.evaluation import rubric
from opsplane.evaluation.completion import Complete, Completion
from opsplane.evaluation.embedded_judge import Bears, EmbeddedJudge
from opsplane.evaluation.judge import Grader, Judge, LanguageJudge
from opsplane.evaluation.pairwise import ByGrade, LanguagePair, PairJudge
from opsplane.evaluation.panel import PairPanel, Panel
from opsplane.evaluation.rubric import Rubric
from opsplane.evaluation.scorers.reader import Reader
from opsplane.evidence import Evidence
from opsplane.guardrails.certainty import Certainty, Support
from opsplane.guardrails.support import WEIGHTS
from opsplane.release import Prompt, Release, Scalar
from opsplane.spend import Prices, Purpose

log = logging.getLogger(__name__)

EMBEDDED = "embedded"
"""The judge that asks no language model."""
SECONDS = 60.0
"""How long one call may take."""
MOST = 7
"""Judges of a panel."""
NEUTRAL = "You answer from the sources that you are given, and name them."
"""In place of a release's prompt, so that the embedded judge is the same judge for every release."""

Make = Callable[..., BaseChatModel]
Kind = TypeVar("Kind", Judge, PairJudge)


@dataclass(frozen=True)
class Kit:
    """What judges are made with. `settings` go to every language model, over a temperature of 0.

    `release` lends the grounding rules their form; its prompt and thresholds do not matter. `folder` holds rubrics.
    """

    prices: Prices
    embeddings: Encoder
    encoder: str  # its name
    support: Support
    release: Release
    folder: Path = rubric.FOLDER
    seconds: float = SECONDS
    settings: Mapping[str, Scalar] = field(default_factory=dict)
    make: Make = init_chat_model


def names(text: str) -> tuple[str, ...]:
    """The judges that somebody names, parted by commas; raise `InvalidRequest` where that is none or too many."""
    found = tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    if not 1 <= len(found) <= MOST:
        raise InvalidRequest(f"Name from 1 to {MOST} judges: {EMBEDDED}, or provider:model, parted by commas.")
    return found


def must_be_model(name: str) -> None:
    """Raise `InvalidRequest` for a name that is not of the form provider:model, or whose model cannot judge."""
    provider, _, model = name.partition(":")
    if provider == EMBEDDED:
        raise InvalidRequest(
            f"{name!r} copies passages and cannot judge; the judge without a language model: {EMBEDDED}"
        )
    if not provider or not model:
        raise InvalidRequest(f"The judge {name[:80]!r} is neither {EMBEDDED} nor provider:model, such as openai:gpt-5.")


def judge(wanted: Sequence[str], kit: Kit, name: str = "answer") -> Judge:
    """The judge of single answers by these names, a panel where they are several.

    Raises `InvalidRequest` for a judge or a rubric that cannot be had, `InvalidRelease` for a rubric file that cannot
    be read.
    """
    found = _rubric(name, "pointwise", kit)
    return _together([_judge(one, found, kit) for one in wanted], Panel)


def pair_judge(wanted: Sequence[str], kit: Kit, name: str = "preference") -> PairJudge:
    """The judge of pairs by these names; the embedded one compares by its grades. Raises what `judge` raises."""
    found = _rubric(name, "pairwise", kit)
    return _together([_pair_judge(one, found, kit) for one in wanted], PairPanel)


def reader(name: str, kit: Kit) -> Reader:
    """A language model for the measures that one reads (RAGAS's); raises `InvalidRequest`."""
    settings = _settings(kit)
    told = f"{name} {json.dumps(settings, sort_keys=True)}"
    return Reader(_asked(name, settings, kit), told, kit.prices, estimate.region(settings))


def completing(name: str, model: BaseChatModel, seconds: float = SECONDS) -> Complete:
    """A LangChain model as a `Complete`: what takes longer than so many seconds raises `TimeoutError`.

    Cancelling the call cancels the model's; its provider's other errors are raised as they are.
    """

    async def complete(system: str, user: str) -> Completion:
        try:
            async with asyncio.timeout(seconds):
                message = await model.ainvoke([SystemMessage(system), HumanMessage(user)], {"callbacks": []})
        except TimeoutError:
            raise
        except Exception as error:  # each provider has time-outs of its own, which have only their name in common
            if "timeout" in type(error).__name__.lower():
                raise TimeoutError(str(error)) from error
            raise
        return completion(name, message)

    return complete


def completion(name: str, message: AIMessage) -> Completion:
    """What a model's message says, with usage, finish reason and log-probabilities where they are told."""
    told = message.response_metadata
    return Completion(
        text=str(message.text),
        model=name,
        usage=llm.usage(message),
        finish=str(told.get("finish_reason") or told.get("stop_reason") or ""),
        logprobs=logprobs.reported(told),
    )


def _judge(name: str, found: Rubric, kit: Kit) -> Judge:
    return _embedded(kit) if name == EMBEDDED else LanguageJudge(found, _grader(name, kit))


def _pair_judge(name: str, found: Rubric, kit: Kit) -> PairJudge:
    return ByGrade(_embedded(kit)) if name == EMBEDDED else LanguagePair(found, _grader(name, kit))


def _together(judges: Sequence[Kind], panel: Callable[[Sequence[Kind]], Kind]) -> Kind:
    return judges[0] if len(judges) == 1 else panel(judges)


def _embedded(kit: Kit) -> EmbeddedJudge:
    weights = json.loads((WEIGHTS / "grounding.json").read_text(encoding="utf-8"))["sha256"]
    return EmbeddedJudge(bears(kit.support, kit.release), kit.embeddings.encode, kit.encoder, weights)


def bears(support: Support, release: Release) -> Bears:
    """How surely sources bear out a sentence, by the grounding rules and model, whatever the release."""
    certainty, neutral = Certainty(support), release.model_copy(update={"prompt": Prompt(system=NEUTRAL)})

    def borne(text: str, cited: Sequence[Evidence]) -> float:
        return certainty.score(text, cited, neutral)

    return borne


def _grader(name: str, kit: Kit) -> Grader:
    settings = _settings(kit)
    region = estimate.region(settings)
    complete = _asked(name, settings, kit)
    if not kit.prices.knows(name, region):
        log.warning("the judge %s has no price in the table %s: its calls are booked at 0", name, kit.prices.version)
    return Grader(
        name=name,
        complete=complete,
        book=lambda found: kit.prices.book(Purpose.JUDGE, name, found.usage, region),
        settings=settings,
    )


def _asked(name: str, settings: Mapping[str, Scalar], kit: Kit) -> Complete:
    return completing(name, _model(name, settings, kit.make), kit.seconds)


def _model(name: str, settings: Mapping[str, Scalar], make: Make) -> BaseChatModel:
    must_be_model(name)
    try:
        return make(name, **settings)
    except ImportError as error:
        raise InvalidRequest(f"The judge {name!r} needs a package that is not installed: {error}") from error
    except Exception as error:  # each provider refuses a missing credential in an exception of its own
        log.info("the judge %s cannot be made", name, exc_info=True)
        raise InvalidRequest(f"The judge {name!r} cannot be used: {' '.join(str(error).split())[:300]}") from error


def _settings(kit: Kit) -> dict[str, Scalar]:
    return {"temperature": 0, **kit.settings}


def _rubric(name: str, kind: str, kit: Kit) -> Rubric:
    there = {key: one for key, one in rubric.load_all(kit.folder).items() if one.kind == kind}
    if name not in there:
        known = ", ".join(sorted(there)) or "none"
        raise InvalidRequest(f"There is no {kind} rubric {name!r} in {kit.folder.name}; there are: {known}.")
    return there[name]
