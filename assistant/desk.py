"""What slash commands are, and what they work on."""

from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from datetime import tzinfo
from pathlib import Path
from typing import Any

from assistant.dropped import Tray
from assistant.evaluator import Evaluator
from assistant.intents import Intents
from assistant.panels import Panel
from assistant.reasons import Reasons
from assistant.staging import Staging
from knowledge.library import Library
from opsplane.access import Actor, Role
from opsplane.budget import Guard
from opsplane.handover_board import Board
from opsplane.ledger.checkpoint import Notary
from opsplane.ledger.store import Ledger
from opsplane.oversight import Leases
from opsplane.plane import Plane
from opsplane.quality.monitor import Monitor
from opsplane.rollouts.watcher import Watcher

Step = Callable[[str, str], Coroutine[Any, Any, None]]
"""Tells whoever waits that a step of long work began: its name, and a detail."""


async def _untold(_name: str, _detail: str) -> None:
    return None


@dataclass(frozen=True)
class Desk:
    """What commands work on. `forget` clears a customer's chat history and tells how many conversations there were.

    `reasons`, `leases`, `intents`, `handovers` and `tray` live as long as the product runs. `why` is the reason that
    counts for this one command, `talk` the conversation that it was typed in, empty on a terminal, and `customer` whose
    that is, empty for staff. `documents` is the library, `evaluations` what evaluates and `monitor` what watches live
    quality, None where there is none; `step` tells of long work.
    """

    plane: Plane
    ledger: Ledger
    notary: Notary
    forget: Callable[[str], int]
    budget: Guard
    zone: tzinfo  # whose days and months costs are counted by
    watcher: Watcher
    releases: Path  # the folder of release files
    library: Library | None = None  # what passages come from, where documents are open too
    reasons: Reasons = field(default_factory=Reasons)
    leases: Leases = field(default_factory=Leases)
    intents: Intents = field(default_factory=Intents)
    handovers: Board = field(default_factory=Board)
    tray: Tray = field(default_factory=Tray)
    documents: Staging | None = None
    evaluations: Evaluator | None = None
    monitor: Monitor | None = None
    step: Step = _untold
    why: str = ""
    talk: str = ""
    customer: str = ""


@dataclass(frozen=True)
class Command:
    """One slash command; `roles` empty means everybody. One that `reads` the record is run for a reason only."""

    name: str
    usage: str
    description: str
    icon: str  # a Lucide icon name
    roles: tuple[Role, ...]
    run: Callable[[str, Actor, Desk], Awaitable[Panel]]
    reads: bool = False

    def open_to(self, role: Role) -> bool:
        """Whether people of this role may run it."""
        return not self.roles or role in self.roles
