"""A release: everything that decides what customers are told, as one frozen value named by its digest."""

import hashlib
import json
from collections.abc import Mapping
from datetime import date
from functools import cached_property
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from opsplane.pack import Exemplars, Pack

Scalar = str | int | float | bool
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


def _unset(value: object) -> bool:
    """Whether a field came later and says nothing: then it is not in the bytes, and no digest changes for it."""
    return value is None or value in ((), {}, Generation())


class _Part(BaseModel):
    # infinity and "not a number" have no bytes in JSON, so that a release with them could not be read back
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Example(_Part):
    """One few-shot example."""

    question: str
    answer: str


class Prompt(_Part):
    """What the model is told before the customer's words."""

    system: str = Field(min_length=20)
    examples: tuple[Example, ...] = ()


class Style(_Part):
    """How long and in which voice answers are; every model honours it, the embedded one by rule."""

    sentences: int = Field(default=4, ge=1, le=12)  # at most, in one answer
    opening: str = ""  # a fixed courtesy before the first sentence


class Model(_Part):
    """One model as `init_chat_model` names it (`provider:model`), or `embedded:extractive`.

    `settings` go to the model class as they are (temperature, max_tokens, region …).
    """

    name: str = Field(pattern=r"^[a-z_]+:.+$")
    settings: dict[str, Scalar] = {}
    timeout_seconds: float = Field(default=30.0, gt=0, le=600)


class Generation(_Part):
    """How both tiers write, in Google's names; what is left out is the provider's own choice.

    A model's own `settings` go before. The embedded model writes nothing of its own and reads none of this.
    """

    temperature: float | None = Field(default=None, ge=0, le=2, exclude_if=_unset)
    top_p: float | None = Field(default=None, gt=0, le=1, exclude_if=_unset)
    top_k: int | None = Field(default=None, ge=1, le=1_000, exclude_if=_unset)
    max_output_tokens: int | None = Field(default=None, ge=1, le=1_000_000, exclude_if=_unset)
    seed: int | None = Field(default=None, ge=0, lt=2**31, exclude_if=_unset)
    thinking_budget: int | None = Field(default=None, ge=-1, le=1_000_000, exclude_if=_unset)  # -1: the model decides
    stop: tuple[Annotated[str, Field(min_length=1)], ...] = Field(default=(), max_length=5, exclude_if=_unset)


HarmCategory = Annotated[str, Field(pattern=r"^HARM_CATEGORY_[A-Z_]+$")]
HarmThreshold = Annotated[str, Field(pattern=r"^(OFF|BLOCK_[A-Z_]+)$")]
"""Google's names for what is blocked and from when on."""


class Lineage(_Part):
    """Where a tuned adapter comes from: the model it was tuned on, the examples by their SHA-256, and how."""

    base: str = Field(pattern=r"^[a-z_]+:.+$")
    data_sha256: Sha256
    examples: int = Field(ge=1)
    method: str = Field(min_length=1)  # supervised, preference, distillation …
    hyperparameters: dict[str, Scalar] = {}
    trained: date


class Resilience(_Part):
    """What is done where a model does not answer; the deadline goes before everything else.

    Tried are the model (so many `attempts` in a region), then `fallback` from left to right: the other tier, other
    regions, the embedded model, which needs nothing but the passages.
    """

    attempts: int = Field(default=2, ge=1, le=6)  # calls of one model in one region, the first included
    first_token_seconds: float = Field(default=8.0, gt=0, le=120)  # until an answer must begin, all tries together
    fallback: tuple[Literal["pro", "region", "embedded"], ...] = ("pro", "region", "embedded")
    breaker_failures: int = Field(default=5, ge=1, le=1_000)  # in a row, until a model's region is left alone
    breaker_seconds: float = Field(default=30.0, gt=0, le=3_600)  # that it is left alone for


class Caching(_Part):
    """That the provider keeps the prompt's stable beginning: system prompt, examples, tools."""

    ttl_seconds: int = Field(default=3_600, ge=60, le=604_800)
    least_tokens: int = Field(default=2_048, ge=1, le=1_000_000)  # shorter beginnings are not worth keeping


class Models(_Part):
    """The two tiers that routing chooses from, and the model that judges answers where the release names one."""

    flash: Model
    pro: Model
    judge: Model | None = Field(default=None, exclude_if=_unset)
    resilience: Resilience | None = Field(default=None, exclude_if=_unset)  # none: one call decides
    caching: Caching | None = Field(default=None, exclude_if=_unset)


class Routing(_Part):
    """When a question goes to the Pro tier; each threshold is inclusive."""

    pro_from_words: int = Field(default=40, ge=1)  # words in the question
    pro_from_documents: int = Field(default=4, ge=1)  # different documents among close passages
    close_within: float = Field(default=0.1, ge=0, le=1)  # cosine distance to the best passage that counts as close
    pro_from_turns: int | None = Field(default=None, ge=1, exclude_if=_unset)  # earlier turns of the conversation
    pro_from_passages: int | None = Field(default=None, ge=1, exclude_if=_unset)  # close passages
    pro_below_margin: float | None = Field(default=None, ge=0, le=1, exclude_if=_unset)  # cosine, best less second
    pro_below_cosine: float | None = Field(default=None, ge=0, le=1, exclude_if=_unset)  # of the best passage
    pro_intents: tuple[str, ...] = Field(default=(), exclude_if=_unset)  # topics, as `opsplane.topics` names them
    escalate: Literal["once"] | None = Field(default=None, exclude_if=_unset)  # nothing stood up on Flash: Pro tries


class Engine(_Part):
    """A serving configuration of Vertex AI Search that is searched beside the index; what fails is left out."""

    name: str = Field(min_length=1)  # projects/P/locations/L/collections/C/engines/E/servingConfigs/S
    passages: int = Field(default=5, ge=1, le=30)
    timeout_seconds: float = Field(default=3.0, gt=0, le=60)


class Ranking(_Part):
    """A model of the ranking API; where it cannot be asked the index's own order stands."""

    model: str = Field(min_length=1)  # such as semantic-ranker-default-004
    passages: int = Field(default=20, ge=2, le=200)  # that it is shown
    timeout_seconds: float = Field(default=2.0, gt=0, le=60)


class Retrieval(_Part):
    """Which index is searched and how. Scores are convex combinations in [0, 1] times the kind's weight."""

    index: str
    generation: str | None = Field(default=None, exclude_if=_unset)  # pinned; else what the index serves
    passages: int = Field(default=6, ge=1, le=30)
    pool: int = Field(default=100, ge=10, le=1000)
    dense_weight: float = Field(default=0.5, ge=0, le=1)
    part_weight: float | None = Field(default=None, ge=0, le=1, exclude_if=_unset)  # of the meaning: of sentences
    document_weight: float | None = Field(default=None, ge=0, le=1, exclude_if=_unset)  # of the meaning: of the whole
    kind_weights: dict[str, float] = {}
    passage_characters: int | None = Field(default=None, ge=0, le=8_000, exclude_if=_unset)  # neighbours are joined
    decompose: bool | None = Field(default=None, exclude_if=_unset)  # the parts of a question are searched for too
    familiar: float | None = Field(default=None, ge=0, le=1, exclude_if=_unset)  # cosine below which words are widened
    engine: Engine | None = Field(default=None, exclude_if=_unset)  # also searched
    ranking: Ranking | None = Field(default=None, exclude_if=_unset)  # orders what was found anew


Language = Annotated[str, Field(pattern=r"^[a-z]{2}$")]
"""A language by its two letters (ISO 639-1)."""


class External(_Part):
    """A check that another system makes: which kind of adapter, where it is, what it reads.

    What cannot be asked, or answers something unreadable, counts as unsafe unless `on_error` says `pass`.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9_]{0,30}$")  # findings are coded external.<name>
    kind: str = Field(pattern=r"^[a-z][a-z0-9-]{1,30}$")  # an adapter's name, such as llama-guard
    reads: tuple[Literal["question", "passage", "answer"], ...] = Field(default=("question", "answer"), min_length=1)
    target: str = Field(min_length=1)  # the adapter's model, template or configuration
    endpoint: str = ""  # base URL, where it is not the provider's own
    threshold: float = Field(default=0.5, ge=0, le=1)
    timeout_seconds: float = Field(default=3.0, gt=0, le=60)
    on_error: Literal["block", "pass"] = "block"
    settings: dict[str, Scalar] = {}


class Guardrails(_Part):
    """Thresholds (in [0, 1]) and rule packs. A higher threshold lets more pass."""

    max_characters: int = Field(default=2_000, ge=100, le=20_000)
    injection: float = Field(default=0.6, ge=0, le=1)
    scope: float = Field(default=0.5, ge=0, le=1)
    grounding: float = Field(default=0.6, ge=0, le=1)  # share of a sentence's content words found in its evidence
    mask_for_model: bool = False  # personal data is masked before a model or the index sees the question
    context: float | None = Field(default=None, ge=0, le=1, exclude_if=_unset)  # injection in passages and tool results
    support: float | None = Field(default=None, ge=0, le=1, exclude_if=_unset)  # least certainty of the grounding model
    toxicity: float | None = Field(default=None, ge=0, le=1, exclude_if=_unset)  # of answers; abuse in questions
    repair: Literal["once"] | None = Field(default=None, exclude_if=_unset)  # a failed sentence gets another attempt
    languages: tuple[Language, ...] = Field(default=(), exclude_if=_unset)  # what is answered; none: not looked at
    competitors: tuple[str, ...] = Field(default=(), exclude_if=_unset)  # names about which nothing is said
    external: tuple[External, ...] = Field(default=(), exclude_if=_unset)  # checks that other systems make
    exemplars: str  # the name of the scope exemplars
    packs: tuple[str, ...] = ()  # the names of the compliance packs
    scope_exemplars: Exemplars | None = None  # read from the file named above when the release is loaded
    rules: tuple[Pack, ...] = ()  # likewise
    trained: dict[str, Sha256] = Field(default={}, exclude_if=_unset)  # the weights that the checks judge by, by file


REPLIES = frozenset(
    {
        "greeting",
        "thanks",
        "help",
        "person",
        "empty",
        "too_long",
        "out_of_scope",
        "not_found",
        "injection",
        "other_customer",
        "advice",
        "guarantee",
        "legal",
        "failed",
        "over_budget",
    }
)
"""The fixed replies that every release words for itself.

A release may word others: those that its rules name, and `holding`, which everybody is told under the kill switch.
"""


class Disclosures(_Part):
    """What customers are always told."""

    welcome: str = Field(min_length=20)  # the first message: that an AI answers
    embedded: str = Field(min_length=10)  # under answers made without a language model


class Release(_Part):
    """The whole bundle. Equal bytes, equal digest; any change is another release."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]{1,60}$")
    author: str
    note: str
    prompt: Prompt
    style: Style = Style()
    models: Models
    routing: Routing = Routing()
    retrieval: Retrieval
    guardrails: Guardrails
    replies: dict[str, str]
    disclosures: Disclosures
    generation: Generation = Field(default=Generation(), exclude_if=_unset)
    safety: dict[HarmCategory, HarmThreshold] = Field(default={}, exclude_if=_unset)
    tested_with: tuple[str, ...] = Field(default=(), exclude_if=_unset)  # names of models
    lineage: Lineage | None = Field(default=None, exclude_if=_unset)

    @model_validator(mode="after")
    def _complete(self) -> Self:
        wanted = REPLIES | {rule.reply for pack in self.guardrails.rules for rule in pack.rules if rule.reply}
        if missing := sorted(wanted - self.replies.keys()):
            raise ValueError(f"replies: missing {', '.join(missing)}")
        if empty := sorted(name for name, text in self.replies.items() if not text.strip()):
            raise ValueError(f"replies: empty {', '.join(empty)}")
        return self

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = True) -> Self:  # noqa: ARG002
        """A validated copy; pydantic's own would carry the old digest along."""
        return type(self).model_validate(self.model_dump() | dict(update or {}))

    def canonical(self) -> bytes:
        """The bytes that the digest names: JSON with sorted keys, no white space, ASCII only."""
        return json.dumps(self.model_dump(mode="json"), sort_keys=True, separators=(",", ":")).encode()

    @cached_property
    def digest(self) -> str:
        """SHA-256 of `canonical()`, hexadecimal, 64 characters."""
        return hashlib.sha256(self.canonical()).hexdigest()

    @property
    def short(self) -> str:
        """Id with the first twelve characters of the digest, as people see it."""
        return f"{self.id}@{self.digest[:12]}"
