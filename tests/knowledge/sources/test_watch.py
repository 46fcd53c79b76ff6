import threading
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from knowledge.sources.folder import Folder
from knowledge.sources.source import Item, Listing, Source, SourceMissing
from knowledge.sources.watch import Watch


@dataclass
class Shelf:
    """A source that holds what a test lays into it; nothing stands for a source that is missing."""

    files: dict[str, str] | None
    spec: str = "shelf"

    def items(self, endings: Collection[str]) -> Listing:
        if self.files is None:
            raise SourceMissing("The shelf is away.")
        return Listing(tuple(Item(name, name, 1, stamp, bytes) for name, stamp in self.files.items()), ())


@dataclass
class Library:
    """What is called when something changed."""

    calls: int = 0
    failures: list[Exception] = field(default_factory=list)

    def __call__(self) -> None:
        self.calls += 1
        if self.failures:
            raise self.failures.pop()


def watch(sources: Sequence[Source], library: Library) -> Watch:
    return Watch(lambda: sources, (".md",), library)


def settled(shelf: Shelf, library: Library) -> Watch:
    looking = watch([shelf], library)
    assert [looking.look() for _ in range(3)] == [False, True, False]
    return looking


def test_at_first_and_then_after_a_change_it_calls_once() -> None:
    shelf, library = Shelf({"a.md": "1"}), Library()
    looking = settled(shelf, library)
    for files in ({"a.md": "2"}, {"a.md": "2", "b.md": "1"}, {}):
        shelf.files = files
        assert [looking.look() for _ in range(3)] == [False, True, False]
    assert library.calls == 4


def test_a_file_still_being_copied_is_not_acted_on() -> None:
    shelf, library = Shelf({"a.md": "1"}), Library()
    looking = settled(shelf, library)
    for stamp in "2345":
        shelf.files = {"a.md": stamp}
        assert not looking.look()
    assert looking.look()


def test_a_missing_source_is_no_change_and_told_once(caplog: pytest.LogCaptureFixture) -> None:
    shelf, library = Shelf({"a.md": "1"}), Library()
    looking = settled(shelf, library)
    shelf.files = None
    assert not any(looking.look() for _ in range(4))
    assert caplog.text.count("The shelf is away.") == 1
    shelf.files = {"a.md": "1"}
    assert not any(looking.look() for _ in range(4))


def test_a_call_that_failed_is_made_again() -> None:
    library = Library(failures=[ValueError("busy")])
    looking = watch([Shelf({"a.md": "1"})], library)
    looking.look()
    with pytest.raises(ValueError, match="busy"):
        looking.look()
    assert looking.look()
    assert not looking.look()


def test_a_source_added_later_is_a_change() -> None:
    sources, library = [Shelf({"a.md": "1"}, "one")], Library()
    looking = watch(sources, library)
    looking.look(), looking.look()
    sources.append(Shelf({}, "two"))
    assert [looking.look() for _ in range(3)] == [False, True, False]


def test_it_goes_on_after_an_exception_and_logs_it(caplog: pytest.LogCaptureFixture) -> None:
    library, waits = Library(failures=[ValueError("the library is busy")]), list[float]()

    def wait(seconds: float) -> bool:
        waits.append(seconds)
        return len(waits) == 4

    Watch(lambda: [Shelf({"a.md": "1"})], (".md",), library, every=7, wait=wait).run()
    assert waits == [7, 7, 7, 7]
    assert library.calls == 2
    assert "the library is busy" in caplog.text


def test_it_watches_a_real_folder_in_a_thread_and_closes_at_once(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("text")
    called = threading.Event()
    looking = Watch(lambda: [Folder(tmp_path, now=lambda: 0)], (".md",), called.set, every=0.01)
    looking.start()
    assert called.wait(10)
    looking.close()
    waiting = Watch(list, (".md",), called.set, every=3600)
    waiting.start()
    waiting.close()
    assert not [thread for thread in threading.enumerate() if thread.name == "watch"]
