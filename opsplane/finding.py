"""What a guardrail found: a code, the span, the score against its threshold, and what follows from it."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field


class Action(StrEnum):
    """What a finding does to the turn."""

    NOTE = "note"  # recorded only
    DECLINE = "decline"  # the question is not answered; the customer gets the reply of this code
    REPLY = "reply"  # the question is met by a fixed reply (a greeting, help, a way to a person)
    PREFACE = "preface"  # the reply of this code is said first, then the question is answered
    DROP = "drop"  # this passage, or this line of a tool's result, is not given to the model
    WITHHOLD = "withhold"  # this sentence is not shown
    REWRITE = "rewrite"  # the words given in `rewrite` are shown in place of this sentence
    DISCLOSE = "disclose"  # the sentence is shown, and the reply of this code once under the answer


def _unset(value: object) -> bool:
    return not value


class Finding(BaseModel):
    """One thing a check noticed. `score` and `threshold` are in [0, 1] where the check scores, else None."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: str  # dotted, e.g. "injection.override", "grounding.figure", "compliance.promise"
    action: Action
    stage: str  # "question", "passage" or "answer"
    span: str = ""  # the words it is about, masked where personal
    detail: str = ""
    score: float | None = None
    threshold: float | None = None
    reply: str = ""  # for DECLINE, REPLY, PREFACE and DISCLOSE: the name of the release's fixed reply
    pack: str = ""  # rule pack and version, where the check is a rule of one
    rewrite: str = Field(default="", exclude_if=_unset)  # for REWRITE: what is shown instead
    person: bool = Field(default=False, exclude_if=_unset)  # a person of the bank is asked to take over
