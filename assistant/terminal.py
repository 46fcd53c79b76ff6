"""The same parts seen from a terminal: answers, panels and progress as text."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from rich.console import Console
from rich.markdown import Markdown
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from assistant.panels import Panel
from opsplane.evidence import Evidence, Sentence
from opsplane.exchange import Exchange


@dataclass
class TerminalScreen:
    """Prints a turn as it happens; `quiet` keeps it to itself (for JSON)."""

    console: Console
    quiet: bool = False
    exchange: Exchange | None = None
    panels: list[Panel] = field(default_factory=list)

    @classmethod
    def silent(cls) -> "TerminalScreen":
        """One that prints nothing."""
        return cls(Console(), quiet=True)

    async def step(self, name: str, detail: str) -> None:
        """A step of the turn, in grey."""
        if not self.quiet:
            self.console.print(f"· {name}: {detail}", style="dim", markup=False, highlight=False)

    async def say(self, sentence: Sentence, evidence: Sequence[Evidence]) -> None:  # noqa: ARG002 - listed when done
        """A sentence with its marks."""
        if not self.quiet:
            marks = "".join(f" [{number}]" for number in sentence.cites)
            self.console.print(sentence.text + marks, markup=False, highlight=False)

    async def show(self, panel: Panel) -> None:
        """A panel as Markdown."""
        self.panels.append(panel)
        if not self.quiet:
            self.console.print(Markdown(panel.text))

    async def done(self, exchange: Exchange) -> None:
        """The sources that were cited."""
        self.exchange = exchange
        if self.quiet:
            return
        cited = {number for sentence in exchange.sentences for number in sentence.cites}
        for one in exchange.evidence:
            if one.number in cited:
                self.console.print(f"  {_source(one)}", style="cyan", markup=False, highlight=False)
        self.console.print(f"  exchange {exchange.id}: {exchange.outcome.value}", style="dim", markup=False)


def _source(one: Evidence) -> str:
    section = f" › {one.section}" if one.section else ""
    version = f", version {one.version}" if one.version else ""
    since = f", in force since {one.effective_from}" if one.effective_from else ""
    return f"[{one.number}] {one.title}{section}{version}{since}"


class Bar:
    """A progress bar for long work, shown only once there is something to do."""

    def __init__(self, console: Console) -> None:
        columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
        self._progress = Progress(*columns, console=console, transient=True)
        self._tasks: dict[str, TaskID] = {}

    def __call__(self, what: str, done: int, total: int) -> None:
        """Show `done` of `total` steps of `what`."""
        if what not in self._tasks:
            self._progress.start()
            self._tasks[what] = self._progress.add_task(what, total=total)
        self._progress.update(self._tasks[what], completed=done, total=total)

    def close(self) -> None:
        """Take the bar off the screen."""
        self._progress.stop()
