"""How the local Gemini judges: it reads the fences of our judges' prompts and grades by shared words, always alike."""

import json
import re
from collections.abc import Mapping

from assistant.sentences import split
from opsplane.guardrails import wording

_PIECE = re.compile(r"<<<([\w ]+) ([0-9a-f]{24})>>>\n(.*?)\n<<<end of \1 \2>>>", re.DOTALL)
_CHECK = re.compile(r'(?:"check": "|value of "check" is the word )([0-9a-f]{24})')
_FORM = re.compile(r"Reply with one JSON object and nothing else.*", re.DOTALL)
_SCORES = re.compile(r'"scores": \{([^}]*)\}')
_NAME = re.compile(r'"(\w+)":')
_CLAIM = re.compile(r"^\d+\. (.*)$", re.MULTILINE)
_MARK = re.compile(r"\s*\[\d+\]")
_LONG = 90
"""Words beyond which an answer is less clear."""
_HOLDS = 0.6
"""So much of a claim's words its sources must hold."""

Pieces = Mapping[str, str]


def reply(user: str) -> str | None:
    """The JSON that a judge's prompt asks for; None for any other text."""
    pieces = {match[1]: match[3] for match in _PIECE.finditer(user)}
    checks, form = _CHECK.findall(user), _FORM.findall(user)
    if not pieces or not checks or not form:
        return None
    made = _made(pieces, form[-1])
    return json.dumps({"check": checks[-1], **made}, ensure_ascii=False) if made is not None else None


def _made(pieces: Pieces, form: str) -> dict[str, object] | None:
    if found := _SCORES.search(form):
        return {
            "reason": "by shared words",
            "scores": _grades(pieces, pieces.get("answer", ""), _NAME.findall(found[1])),
        }
    if '"preferred"' in form:
        return {"reason": "by shared words", "preferred": _preferred(pieces)}
    if '"statements"' in form:
        return {"statements": [one[:1_000] for one in split(_MARK.sub("", pieces.get("answer", "")))][:100]}
    if '"verdicts"' in form:
        return {"verdicts": _verdicts(pieces)}
    if '"questions"' in form:
        return _questions(pieces.get("answer", ""))
    return None


def _grades(pieces: Pieces, answer: str, names: list[str]) -> dict[str, int]:
    """A grade from 1 to 5 for each criterion; those that we do not know get a 4."""
    said, sources = _MARK.sub("", answer), pieces.get("sources", "")
    wanted = f"{pieces.get('reference', '')} {pieces.get('facts', '')}".strip()
    about = _graded(_held(pieces.get("question", ""), f"{said} {sources}"))
    known = {
        "accuracy": _graded(_held(said, sources)),
        "relevance": about,
        "completeness": _graded(_held(wanted, said)) if wanted else about,
        "clarity": 5 if len(said.split()) <= _LONG else 3,
        "compliance": 5,
    }
    return {name: known.get(name, 4) for name in names}


def _preferred(pieces: Pieces) -> str:
    names = ["accuracy", "relevance", "completeness", "clarity"]
    first, second = (sum(_grades(pieces, pieces.get(one, ""), names).values()) for one in ("first", "second"))
    return "tie" if first == second else "first" if first > second else "second"


def _verdicts(pieces: Pieces) -> list[dict[str, object]]:
    """On numbered claims against the sources, or on numbered passages against the right answer."""
    if "claims" in pieces:
        sources = " ".join(text for name, text in pieces.items() if name.startswith("source"))
        found = [_held(claim, sources) >= _HOLDS for claim in _CLAIM.findall(pieces["claims"])]
    else:
        passages = [text for name, text in pieces.items() if name.startswith("passage")]
        found = [_held(pieces.get("right answer", ""), text) >= _HOLDS / 2 for text in passages]
    return [{"number": number, "holds": one} for number, one in enumerate(found, 1)]


def _questions(answer: str) -> dict[str, object]:
    said = [one.rstrip(".!?")[:400] for one in split(_MARK.sub("", answer))] or ["this"]
    asked = [f"{word} {said[place % len(said)]}?" for place, word in enumerate(("Is it so that", "Why:", "When:"))]
    return {"questions": asked, "evasive": not wording.stems(answer)}


def _held(text: str, by: str) -> float:
    """The share of a text's content words that another has; 1 for a text without any."""
    words = wording.stems(text)
    return len(words & wording.stems(by)) / len(words) if words else 1.0


def _graded(share: float) -> int:
    return 1 + round(4 * share)
