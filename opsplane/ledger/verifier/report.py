"""What a verification tells."""

from dataclasses import dataclass, field

from .proof import START


@dataclass(frozen=True, slots=True)
class Violation:
    """What is wrong and with which entry; None where it concerns no single one."""

    code: str
    row: int | None
    detail: str


@dataclass(frozen=True, slots=True)
class Remark:
    """What a reader should know and what breaks nothing."""

    code: str
    row: int | None
    detail: str


@dataclass(frozen=True, slots=True)
class State:
    """Where a verification ended: the tree's size and peaks (largest first), the last entry's hash and time, keys."""

    size: int = 0
    hash: bytes = START
    peaks: tuple[bytes, ...] = ()
    at: int = 0
    origin: str = ""
    keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """What came of it. `pinned`: whether the caller gave keys; without, the ledger vouches for itself.

    `size` is the number of the last entry, `proven` the size of the largest checkpoint that agrees with the entries,
    `keys` the verifier keys that are trusted in the end. `state` is where to go on, None after violations.
    """

    entries: int
    checkpoints: int
    size: int
    proven: int
    origin: str
    pinned: bool
    keys: tuple[str, ...]
    violations: tuple[Violation, ...]
    remarks: tuple[Remark, ...]
    state: State | None

    @property
    def valid(self) -> bool:
        """Whether nothing is wrong."""
        return not self.violations


@dataclass
class Result:
    """What was checked of an export, in words, and what came of it."""

    checked: list[str] = field(default_factory=list)
    violations: list[Violation] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)

    def add(self, code: str, row: int | None, detail: str) -> None:
        """Note a violation."""
        self.violations.append(Violation(code, row, detail))
