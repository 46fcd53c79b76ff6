"""All scorers by name, and the ones that a run asks for."""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass

from opsplane.errors import InvalidRequest
from opsplane.evaluation.scorers import effort, expected, grounded, overlap, perplexity, readability
from opsplane.evaluation.scorers.perplexity import Reported
from opsplane.evaluation.scorers.ragas import Encode, Name, Support
from opsplane.evaluation.scorers.ragas_embedded import Held, Near, precision_scorer
from opsplane.evaluation.scorers.ragas_model import Ragas
from opsplane.evaluation.scorers.reader import Reader
from opsplane.evaluation.scoring import Scorer

_RULES = ("facts", "figures", "citations", "declines", "answered", "forbidden", "grounded", "readability")
_OTHERS = ("grade_level", "bleu", "rouge1", "rouge2", "rouge_l", "latency", "first_sentence", "cost")
_NAMES = (*_RULES, *_OTHERS, *(one.value for one in Name), "perplexity")


@dataclass(frozen=True)
class Parts:
    """What some scorers need. With a `reader` RAGAS's four are read by that model, else by the embedded models.

    `support_name` and `encoder` name these with their digests; `tools` are names of account tools.
    """

    reader: Reader | None = None
    support: Support | None = None
    support_name: str = ""
    encode: Encode | None = None
    encoder: str = ""
    reported: Reported | None = None
    tools: frozenset[str] = frozenset()


def names() -> tuple[str, ...]:
    """Every scorer there is, in the order of reports."""
    return _NAMES


def possible(parts: Parts) -> tuple[str, ...]:
    """Those for which there are the parts."""
    there = _built(parts)
    return tuple(name for name in _NAMES if name in there)


def chosen(wanted: Sequence[str], parts: Parts) -> list[Scorer]:
    """The scorers of these names, each once; raise `InvalidRequest` for one there is not, or cannot be here."""
    for name in wanted:
        if name not in _NAMES:
            raise InvalidRequest(_unknown(name))
    built = _built(parts)
    if lacking := [name for name in wanted if name not in built]:
        raise InvalidRequest(f"{lacking[0]} cannot be scored here: it needs {_needs(lacking[0])}.")
    return [built[name] for name in dict.fromkeys(wanted)]


def _built(parts: Parts) -> dict[str, Scorer]:
    """Every scorer that can be, by name; what a language model reads goes before what the embedded models do."""
    found: list[Scorer] = [*expected.scorers(), grounded.scorer(), *readability.scorers(), *overlap.scorers()]
    found += [*effort.scorers(), precision_scorer(parts.tools)]
    if parts.support:
        found += Held(parts.support, parts.support_name).scorers()
    if parts.encode:
        found.append(Near(parts.encode, parts.encoder).scorer())
    if parts.reader:
        found += Ragas(parts.reader, parts.encode, parts.encoder).scorers()
    if parts.reported:
        found.append(perplexity.scorer(parts.reported))
    return {one.measure.name: one for one in found}


def _needs(name: str) -> str:
    if name == "perplexity":
        return "a model that reports log-probabilities"
    if name == Name.RELEVANCY:
        return "an embedding model"
    return "a judge model or the embedded grounding model"


def _unknown(name: str) -> str:
    near = difflib.get_close_matches(name.strip().lower(), _NAMES, n=2, cutoff=0.6)
    hint = f" Did you mean {' or '.join(near)}?" if near else ""
    return f"There is no scorer {name[:60]!r}.{hint} There are: {', '.join(_NAMES)}."
