"""How a model's answer ended: as it should, or blocked, stopped, cut off, malformed; and what follows from that."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from opsplane.finding import Action, Finding
from opsplane.release import Release

INTERRUPTED = "INTERRUPTED"
"""The finish reason that we give an answer whose stream broke off."""
UNANSWERED = "UNANSWERED"
"""Likewise where no model could be had."""
_UNSAFE = ("SAFETY", "PROHIBITED_CONTENT", "BLOCKLIST", "SPII", "IMAGE_SAFETY", "IMAGE_PROHIBITED_CONTENT")


class Remedy(Enum):
    """What helps where nothing of the answer was shown yet."""

    NONE = "none"  # it stands: anybody else would be asked the same
    AGAIN = "again"  # one more try in the same place
    NEXT = "next"  # another model


@dataclass(frozen=True)
class Ending:
    """How an answer ended. Where it has a code its last sentence is not whole and counts for nothing."""

    code: str = ""
    detail: str = ""
    remedy: Remedy = Remedy.NONE
    reply: str = ""  # what the customer is told where nothing else was said

    @property
    def whole(self) -> bool:
        """Whether the answer is complete."""
        return not self.code


_KNOWN: Mapping[str, Ending] = {
    **{one: Ending("model.safety", f"the provider stopped the answer: {one}", reply="unsafe") for one in _UNSAFE},
    "CONTENT_FILTER": Ending("model.safety", "the provider's filter stopped the answer", reply="unsafe"),
    "REFUSAL": Ending("model.safety", "the model refused to answer", reply="unsafe"),
    "MAX_TOKENS": Ending("model.truncated", "the answer was cut off at the most tokens it may have", Remedy.NEXT),
    "RECITATION": Ending("model.recitation", "the provider stopped the answer: it recites others' texts", Remedy.NEXT),
    "MALFORMED_FUNCTION_CALL": Ending("model.malformed", "the model called a tool in no readable form", Remedy.AGAIN),
    "UNEXPECTED_TOOL_CALL": Ending("model.malformed", "the model called a tool that it does not have", Remedy.AGAIN),
    "TOO_MANY_TOOL_CALLS": Ending("model.malformed", "the model called too many tools", Remedy.AGAIN),
    INTERRUPTED: Ending("model.interrupted", "the answer broke off", Remedy.AGAIN),
    UNANSWERED: Ending("model.unavailable", "no model could be had", reply="failed"),
}
_ALSO = {"LENGTH": "MAX_TOKENS", "MALFORMED_TOOL_CALL": "MALFORMED_FUNCTION_CALL"}
_WHOLE = frozenset({"", "STOP", "CONTINUATION"})
EMPTY = Ending("model.empty", "the model said nothing", Remedy.NEXT)
SHAPELESS = Ending("model.malformed", "the answer is not of the form that was asked for", Remedy.AGAIN)


def finish(metadata: Mapping[str, Any]) -> str:
    """The provider's reason to finish, under whichever name it is told; empty where it is not."""
    return str(metadata.get("finish_reason") or metadata.get("stop_reason") or metadata.get("done_reason") or "")


def read(metadata: Mapping[str, Any]) -> Ending:
    """How an answer with this metadata ended; pure.

    A prompt that Gemini blocks comes as an empty answer with its feedback and without a reason to finish. Reasons
    that nobody here knows stop an answer where they are written as Google writes them; other providers have many words
    for a good end.
    """
    if block := _blocked(metadata.get("prompt_feedback")):
        return Ending("model.blocked", f"the provider blocked the prompt: {block}", reply="unsafe")
    reason = finish(metadata)
    name = _ALSO.get(reason.upper(), reason.upper())
    if name in _KNOWN:
        return _KNOWN[name]
    if name in _WHOLE or reason != name:
        return Ending()
    return Ending("model.stopped", f"the provider stopped the answer: {reason[:60]}", Remedy.NEXT)


def finding(ending: Ending, release: Release, *, said: bool) -> Finding:
    """What goes on the record; where nothing was said and the ending has a reply, that is the answer."""
    if said or not ending.reply:
        return Finding(code=ending.code, action=Action.NOTE, stage="answer", detail=ending.detail)
    reply = ending.reply if ending.reply in release.replies else "not_found"
    return Finding(code=ending.code, action=Action.DECLINE, stage="answer", detail=ending.detail, reply=reply)


def _blocked(feedback: Any) -> str:
    """Why a prompt was blocked, by its feedback."""
    reason = feedback.get("block_reason") if isinstance(feedback, Mapping) else None
    return str(getattr(reason, "value", reason))[:60] if reason else ""
