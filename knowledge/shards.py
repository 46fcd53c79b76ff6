"""A job of embedding on disk: a plan, files of texts, and beside each its file of vectors, written whole or not at all.

    plan.json            the model and what each shard holds
    shard-00007.jsonl    its texts
    shard-00007.vectors  what came of them

Whoever has the folder may do any shard at any time, twice if need be: the result is the same. So a job resumes after
any kill, and `collect` gives nothing before it holds everything.
"""

import hashlib
import json
import os
import re
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Literal, Protocol

from pydantic import BaseModel, ConfigDict, ValidationError

from knowledge.encoder import Encoder
from knowledge.vectors import FLUSH, Embedded, Row, embed, pack, unpack

_PLAN = "plan.json"
_OURS = re.compile(r"\.?(plan|clock|shard-\d{5,})[.-]")
_LISTED = 5  # shards that a message names


class BadJob(Exception):
    """The folder holds no job, a damaged one, or one for another model; the message says what to do."""


class Incomplete(BadJob):
    """Shards of the job have no valid result yet; `shards` names them."""

    def __init__(self, shards: "Sequence[Shard]") -> None:
        self.shards = [shard.name for shard in shards]
        told = ", ".join(self.shards[:_LISTED]) + (" …" if len(shards) > _LISTED else "")
        super().__init__(
            f"Shards of the job that are not embedded yet: {len(shards)} ({told}). Start workers to resume."
        )


class Shard(BaseModel):
    """A share of the texts: its name, how many, and the SHA-256 of their hashes in order, a line each."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    rows: int
    sha256: str

    @classmethod
    def of(cls, name: str, rows: Iterable[Row | Embedded]) -> "Shard":
        """The shard that these rows make, in this order."""
        hashes = [row.sha256 for row in rows]
        return cls(name=name, rows=len(hashes), sha256=hashlib.sha256("\n".join(hashes).encode()).hexdigest())


class Plan(BaseModel):
    """What a job has to do."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = 1
    model: str
    rows: int
    shards: tuple[Shard, ...]


class Folder(Protocol):
    """Where a job lies: a folder of this machine, or an object store behind Beam."""

    def read(self, name: str) -> bytes | None:
        """The file's bytes; None where there is none."""

    def write(self, name: str, data: bytes) -> None:
        """Put the file there, whole or not at all."""


class Local:
    """A folder of this machine, or one that several machines mount."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self, name: str) -> bytes | None:
        """The file's bytes; None where there is none."""
        try:
            return (self.path / name).read_bytes()
        except FileNotFoundError:
            return None

    def write(self, name: str, data: bytes) -> None:
        """Write beside, flush to the disk, and rename."""
        beside = self.path / f".{name}.{uuid.uuid4().hex}"
        try:
            with beside.open("wb") as out:
                out.write(data)
                out.flush()
                os.fsync(out.fileno())
            beside.replace(self.path / name)
        finally:
            beside.unlink(missing_ok=True)


def plan(rows: Iterable[Row], job: Path, model: str, *, per_shard: int = FLUSH) -> Plan:
    """Write a job for these rows into a folder, each text once; results there that still fit are kept.

    A row's shard is the leading bits of its hash, so that one more row changes one shard, unless their number doubles.
    Shards hold half of `per_shard` to all of it on average. All texts are in memory meanwhile.
    """
    texts = {row.sha256: row for row in rows}
    bits = max(0, (len(texts) - 1) // per_shard).bit_length()
    shares: defaultdict[int, list[Row]] = defaultdict(list)
    for sha256 in sorted(texts):
        shares[int(sha256[:8], 16) >> (32 - bits)].append(texts[sha256])
    named = {f"shard-{number:05d}": share for number, share in shares.items()}
    shards = tuple(Shard.of(name, share) for name, share in named.items())
    planned = Plan(model=model, rows=len(texts), shards=shards)
    job.mkdir(parents=True, exist_ok=True)
    folder = Local(job)
    (job / _PLAN).unlink(missing_ok=True)  # nobody begins by the old plan on the new shards
    for shard in shards:
        data = _lines(named[shard.name])
        if folder.read(f"{shard.name}.jsonl") != data:
            folder.write(f"{shard.name}.jsonl", data)
    kept = {f"{name}.{kind}" for name in named for kind in ("jsonl", "vectors")}
    for path in job.iterdir():
        if _OURS.match(path.name) and path.name not in kept:
            path.unlink(missing_ok=True)
    folder.write(_PLAN, planned.model_dump_json(indent=1).encode())
    return planned


def planned(folder: Folder, model: str = "") -> Plan:
    """The plan of the job in a folder. Raises `BadJob`, also where it is for another model than the one named."""
    data = folder.read(_PLAN)
    if data is None:
        raise BadJob(f"The folder holds no {_PLAN}: plan the job first, or again if planning broke off.")
    try:
        told = Plan.model_validate_json(data)
    except ValidationError as error:
        raise BadJob(f"{_PLAN} is damaged: plan the job again; what is embedded is kept.") from error
    if model and told.model != model:
        raise BadJob(f"The job is for the model {told.model}, this is {model}: plan the job again, or use its model.")
    return told


def finish(shard: Shard, folder: Folder, model: Encoder, beat: Callable[[], None] = lambda: None) -> int:
    """Embed of a shard's texts what its result does not hold yet, and write that; how many were computed.

    `beat` is called after each, to tell others that somebody is at it. Raises `BadJob` where its file is damaged.
    """
    known = {item.sha256: item for item in unpack(folder.read(f"{shard.name}.vectors") or b"", model.name) or ()}
    if Shard.of(shard.name, known.values()) == shard:
        return 0
    rows = _texts(shard, folder)
    lacking = [row for row in rows if row.sha256 not in known]
    for item in embed(lacking, model):
        known[item.sha256] = item
        beat()
    folder.write(f"{shard.name}.vectors", pack([known[row.sha256] for row in rows], model.name))
    return len(lacking)


def result(shard: Shard, folder: Folder, model: str) -> list[Embedded] | None:
    """The vectors of a shard, in the order of its rows; None where they are not all there and intact."""
    items = unpack(folder.read(f"{shard.name}.vectors") or b"", model)
    return items if items is not None and Shard.of(shard.name, items) == shard else None


def missing(whole: Plan, folder: Folder) -> list[Shard]:
    """The shards of a plan that have no whole result yet."""
    return [shard for shard in whole.shards if result(shard, folder, whole.model) is None]


def collect(job: Path) -> Iterator[Embedded]:
    """All vectors of a job, shard by shard. Raises `BadJob`, and `Incomplete` before the first where any is missing."""
    folder = Local(job)
    whole = planned(folder)
    left = missing(whole, folder)
    if left:
        raise Incomplete(left)
    return _results(whole, folder)


def _results(whole: Plan, folder: Folder) -> Iterator[Embedded]:
    for shard in whole.shards:
        items = result(shard, folder, whole.model)
        if items is None:
            raise Incomplete([shard])
        yield from items


def _texts(shard: Shard, folder: Folder) -> list[Row]:
    """The rows of a shard, each the text that its hash names."""
    data = folder.read(f"{shard.name}.jsonl") or b""
    try:
        rows = [Row.of(json.loads(line)["text"]) for line in data.splitlines()]
    except (ValueError, KeyError, TypeError, AttributeError):
        rows = []
    if Shard.of(shard.name, rows) != shard:
        raise BadJob(f"{shard.name}.jsonl is missing or damaged: plan the job again; what is embedded is kept.")
    return rows


def _lines(rows: Iterable[Row]) -> bytes:
    told = (json.dumps({"sha256": row.sha256, "text": row.text}, ensure_ascii=False) for row in rows)
    return "".join(f"{line}\n" for line in told).encode()
