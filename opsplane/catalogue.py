"""Releases as people bring them, register them and compare them: from a file, from a chat, from an export.

Chat and terminal come through here. A registered release is immutable: under a used id nothing else is registered.
"""

import asyncio
import difflib
import hashlib
import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from pydantic import ValidationError

from opsplane import difference, lookup, pins, registry
from opsplane.access import Actor, Role
from opsplane.control import STAFF, recorded
from opsplane.control_events import ReleaseEvaluated
from opsplane.difference import Difference
from opsplane.errors import Conflict, InvalidRelease, NotFound
from opsplane.events import ReleaseRegistered
from opsplane.ledger.store import Ledger
from opsplane.pins import Problem
from opsplane.plane import Plane
from opsplane.release import Release
from opsplane.requests import alone

LARGEST = 256 * 1024
"""Bytes of a release in YAML that are read."""
LARGEST_EXPORT = 4 * 1024 * 1024
"""Bytes of an exported release, in which the rule packs stand too."""
_TOLD = 12
"""Lines of a refusal that are told; a file with more mistakes is mended in rounds."""

_UNREADABLE = (ValueError, TypeError, AttributeError, LookupError, ArithmeticError, RecursionError)
"""What PyYAML raises, beside its own errors, for days of month 13, numbers of 5,000 digits, lists as keys and such."""


@dataclass(frozen=True)
class Registration:
    """A release that is on the record; `new` is False where it was there before. `problems` concern its models."""

    release: Release
    new: bool
    problems: tuple[Problem, ...]


async def register(
    plane: Plane, ledger: Ledger, release: Release, *, actor: Actor, source: str, indexes: Collection[str] = ()
) -> Registration:
    """Put a release on the record for good; one that is there already stays as it is.

    `source` tells where it comes from; `indexes` are those that there are, empty where that is not known here. Raises
    `Conflict` where the id is used for another release, `InvalidRelease` where its index does not exist.
    """
    async with recorded(ledger, "register", f"{release.short} from {source}", actor):
        actor.must_be(*STAFF)
        if indexes and release.retrieval.index not in indexes:
            known = ", ".join(sorted(indexes))
            raise InvalidRelease(
                f"{release.id}: retrieval.index: there is no index {release.retrieval.index!r} (there are: {known})"
            )
        new = await asyncio.to_thread(_register, plane, ledger, release, actor)
        return Registration(release, new, tuple(pins.check(release, ledger.clock().date())))


def _register(plane: Plane, ledger: Ledger, release: Release, actor: Actor) -> bool:
    with alone(ledger):
        registered = plane.state.registered
        if release.digest in registered:
            return False
        if used := [digest for digest, one in registered.items() if one.id == release.id]:
            raise Conflict(
                f"The id {release.id} is used by {release.id}@{used[-1][:12]}, and this is {release.short}: a "
                "registered release never changes. Give this one another id."
            )
        event = ReleaseRegistered(release=release.id, digest=release.digest, canonical=release.canonical().decode())
        ledger.append_now(event, actor)
        return True


async def evaluated(plane: Plane, ledger: Ledger, report: ReleaseEvaluated, *, actor: Actor) -> None:
    """Put an evaluation report on a registered release; raise `NotFound` for one that is not registered."""
    async with recorded(ledger, "evaluate", f"{report.release}@{report.digest[:12]} on {report.dataset}", actor):
        actor.must_be(*STAFF, Role.SERVICE)
        if report.digest not in (await asyncio.to_thread(lambda: plane.state)).registered:
            raise NotFound(f"{report.release}@{report.digest[:12]} is not registered yet: /register {report.release}")
        await ledger.append(report, actor)


async def diff(plane: Plane, ledger: Ledger, a: str, b: str = "", *, actor: Actor) -> Difference:
    """What makes the second release another than the first; of one alone, what it would change against the stable.

    Raises `NotFound`, `InvalidRequest` and `Conflict` as `lookup.find` does.
    """
    async with recorded(ledger, "diff", f"{a} {b}".strip(), actor):
        actor.must_be(*STAFF)
        return await asyncio.to_thread(_diff, plane, a, b)


def _diff(plane: Plane, a: str, b: str) -> Difference:
    first = lookup.find(plane.state, a)
    return difference.compare(first, lookup.find(plane.state, b)) if b else difference.compare(plane.stable(), first)


def load_file(folder: Path, name: str, packs: Path = registry.PACKS) -> Release:
    """A release out of the folder of release files, by its id or its file's name.

    Raises `NotFound` with the nearest file, and `InvalidRelease` with file, line and field.
    """
    files = {path.name: path for path in sorted([*folder.glob("*.yaml"), *folder.glob("*.yml")])}
    path = files.get(name) or files.get(f"{name}.yaml") or files.get(f"{name}.yml")
    if path is None:
        near = difflib.get_close_matches(name, [*files, *(one.stem for one in files.values())], n=1, cutoff=0.6)
        hint = f" Did you mean {near[0]}?" if near else ""
        raise NotFound(f"There is no release file {name[:80]!r}.{hint} Files: {', '.join(files) or 'none'}.")
    release = _read(path, packs)
    if name not in (path.name, release.id):
        raise InvalidRelease(f"{path.name}: id: the file holds {release.id!r}; name the file itself to register that")
    return release


def from_text(text: str, name: str, packs: Path = registry.PACKS) -> Release:
    """A release in YAML that somebody hands over; read as a file of that name is, and refused as one."""
    if len(text.encode(errors="replace")) > LARGEST:
        raise InvalidRelease(f"{name[:80]}: a release in YAML has at most {LARGEST // 1024} KB")
    with TemporaryDirectory(prefix="opsplane-") as folder:
        path = Path(folder) / (re.sub(r"[^\w.-]+", "-", Path(name).name)[-80:].lstrip("-.") or "release.yaml")
        path.write_text(text, encoding="utf-8", errors="replace")
        return _read(path, packs)


def from_canonical(content: bytes, name: str, digest: str = "") -> Release:
    """An exported release, read back from its very bytes; `digest` (or its beginning) is what they must amount to.

    Raises `InvalidRelease` for bytes that are no release, were changed, or that this version reads otherwise.
    """
    if len(content) > LARGEST_EXPORT:
        raise InvalidRelease(f"{name[:80]}: an exported release has at most {LARGEST_EXPORT // 1024 // 1024} MB")
    found = hashlib.sha256(content).hexdigest()
    if digest and not found.startswith(digest.lower()):
        raise InvalidRelease(f"{name}: its bytes have the digest {found[:12]}, not {digest[:12]}: they were changed")
    try:
        release = Release.model_validate_json(content)
    except ValidationError as error:
        raise InvalidRelease(_short(f"{name}: {_first(error)}")) from error
    if release.digest != found:
        raise InvalidRelease(f"{name}: not the very bytes of an export: read back they would be {release.short}")
    return release


def _first(error: ValidationError) -> str:
    problem = error.errors(include_input=False)[0]
    return f"{'.'.join(map(str, problem['loc'])) or '(whole file)'}: {problem['msg']}"


def _read(path: Path, packs: Path) -> Release:
    """The file's release, which read back from its bytes is the same."""
    try:
        release = registry.load(path, packs)
        written = release.canonical()
    except InvalidRelease as error:
        raise InvalidRelease(_short(str(error))) from error
    except _UNREADABLE as error:
        raise InvalidRelease(_short(f"{path.name}: cannot be read: {error}")) from error
    try:
        same = Release.model_validate_json(written).digest == release.digest
    except ValidationError:  # characters that YAML can spell and JSON cannot
        same = False
    if not same:
        raise InvalidRelease(f"{path.name}: holds characters that cannot be written down and read back")
    return release


def _short(words: str) -> str:
    lines = words.splitlines()
    more = [f"… and {len(lines) - _TOLD} more"] if len(lines) > _TOLD else []
    return "\n".join([*(line[:300] for line in lines[:_TOLD]), *more])
