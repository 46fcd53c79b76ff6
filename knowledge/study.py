"""What is learnt by comparing documents: which say the same, and which disagree. What was learnt is kept."""

import hashlib
import json
from collections.abc import Sequence
from datetime import date, timedelta

from pydantic import TypeAdapter

from knowledge import claims, duplicates
from knowledge.catalogue import Catalogue
from knowledge.claims import Claim
from knowledge.conflicts import Conflict, conflicts
from knowledge.document import Document, fingerprint
from knowledge.duplicates import Signed
from knowledge.report import Disagreement, Duplicate

DAYS = 12
"""Days ahead on which something begins that are looked at for documents that would then disagree."""
_STUDY = "1"
"""Goes up whenever comparing comes to other results."""
_CLAIMS: TypeAdapter[tuple[Claim, ...]] = TypeAdapter(tuple[Claim, ...])
_FOUND: TypeAdapter[list[Disagreement]] = TypeAdapter(list[Disagreement])


def apart(documents: Sequence[Document], catalogue: Catalogue, *, keep: bool) -> tuple[list[Document], list[Duplicate]]:
    """The documents without those that say the same as another, which is named.

    A document that held before the kept one stays until that begins, so that both days are answered.
    """
    key = _key(documents)
    told = catalogue.studied("near", [key]).get(key)
    near = [tuple(one) for one in json.loads(told)] if told else _near(documents, catalogue, keep=keep)
    if keep and told is None:
        catalogue.remember_studied("near", {key: json.dumps(near)})
    same = {dropped: (kept, float(similarity), date.fromisoformat(since)) for dropped, kept, similarity, since in near}
    stay: list[Document] = []
    found: list[Duplicate] = []
    for one in documents:
        if one.name not in same:
            stay.append(one)
            continue
        kept, similarity, since = same[one.name]
        found.append(
            Duplicate(name=one.name, kept=kept, reason=f"{similarity:.0%} the same words, and the same figures")
        )
        if one.effective_from < since:
            stay.append(one.model_copy(update={"effective_to": since - timedelta(days=1)}))
    return stay, found


def disagreements(documents: Sequence[Document], on: date, catalogue: Catalogue, *, keep: bool) -> list[Disagreement]:
    """What documents in force say differently of the same thing, on the day `on` and on days when something begins."""
    key = _key(documents, on.isoformat())
    told = catalogue.studied("conflicts", [key]).get(key)
    if told is not None:
        return _FOUND.validate_json(told)
    read = _claims(documents, catalogue, keep=keep)
    begins = sorted({one.effective_from for one in documents if one.effective_from > on})[:DAYS]
    found: dict[str, Disagreement] = {}
    for day in (on, *begins):
        for one in conflicts(documents, day, read):
            made = _disagreement(one, day)
            found.setdefault(f"{made.label} {made.left} {made.left_says} {made.right} {made.right_says}", made)
    if keep:
        catalogue.remember_studied("conflicts", {key: _FOUND.dump_json(list(found.values())).decode()})
    return list(found.values())


def _near(documents: Sequence[Document], catalogue: Catalogue, *, keep: bool) -> list[tuple[str, str, float, str]]:
    hashes = [one.sha256 for one in documents]
    known = {sha: bytes.fromhex(body) for sha, body in catalogue.studied("signature", hashes).items()}
    fresh = {one.sha256: duplicates.signature(one) for one in documents if one.sha256 not in known}
    if keep:
        catalogue.remember_studied("signature", {sha: body.hex() for sha, body in fresh.items()})
    known |= fresh
    found = duplicates.near([Signed(one, known[one.sha256]) for one in documents])
    return [(one.dropped, one.kept, one.similarity, one.since.isoformat()) for one in found]


def _claims(documents: Sequence[Document], catalogue: Catalogue, *, keep: bool) -> dict[str, tuple[Claim, ...]]:
    kind, hashes = f"claims-{claims.READING}", [one.sha256 for one in documents]
    known = {sha: _CLAIMS.validate_json(body) for sha, body in catalogue.studied(kind, hashes).items()}
    fresh = {one.sha256: claims.claims(one) for one in documents if one.sha256 not in known}
    if keep:
        catalogue.remember_studied(kind, {sha: _CLAIMS.dump_json(made).decode() for sha, made in fresh.items()})
    return {**known, **fresh}


def _disagreement(one: Conflict, day: date) -> Disagreement:
    owners = dict.fromkeys(side.owner for side in (one.first, one.second) if side.owner)
    return Disagreement(
        label=one.label,
        since=day,
        left=one.first.document,
        right=one.second.document,
        left_says=one.first.value.replace("$ ", "$"),
        right_says=one.second.value.replace("$ ", "$"),
        owners=tuple(owners),
    )


def _key(documents: Sequence[Document], more: str = "") -> str:
    marks = sorted(map(fingerprint, documents))
    return hashlib.sha256("\n".join((_STUDY, claims.READING, more, *marks)).encode()).hexdigest()
