import os
import socket
import tempfile
from pathlib import Path

import pytest

from knowledge.sources.folder import Folder
from knowledge.sources.gathering import shown
from knowledge.sources.source import Item, Listing, SourceMissing

ENDINGS = (".md", ".html", ".pdf")
LATER = 4_000_000_000_000_000_000


def written(folder: Path, *names: str) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(f"text of {name}".encode("utf-8", "replace"))
    return folder


def listed(path: Path) -> Listing:
    return Folder(path, now=lambda: LATER).items(ENDINGS)


def names(path: Path) -> list[str]:
    return [item.name for item in listed(path).items]


def reasons(path: Path) -> dict[str, str]:
    return {skipped.name: skipped.reason for skipped in listed(path).skipped}


def missing(path: Path) -> str:
    with pytest.raises(SourceMissing) as caught:
        listed(path)
    return str(caught.value)


def unread(item: Item) -> str:
    with pytest.raises(OSError, match=r"\w") as caught:
        item.read()
    return str(caught.value)


def test_a_folder_gives_its_visible_files_of_known_types(tmp_path: Path) -> None:
    written(tmp_path, "b.md", "a/c.PDF", "a/x.exe", ".git/d.md", "a/.e.md", "~$b.md")
    listing = listed(tmp_path)
    assert [item.name for item in listing.items] == ["a/c.PDF", "b.md"]
    assert not listing.skipped
    item = listing.items[1]
    assert (item.origin, item.size, item.read(), item.meta) == (f"{tmp_path}/b.md", 12, b"text of b.md", None)


def test_the_stamp_changes_with_the_content_even_where_its_time_is_set_back(tmp_path: Path) -> None:
    path = written(tmp_path, "a.md") / "a.md"
    before, times = listed(tmp_path).items[0], path.stat()
    assert listed(tmp_path).items[0] == before
    path.write_text("TEXT of a.md")
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    after = listed(tmp_path).items[0]
    assert (after.size, after.stamp == before.stamp) == (before.size, False)


def test_a_file_just_written_has_no_stamp_as_another_write_could_leave_the_same(tmp_path: Path) -> None:
    changed = (written(tmp_path, "a.md") / "a.md").stat().st_ctime_ns
    assert not Folder(tmp_path, now=lambda: changed + 1).items(ENDINGS).items[0].stamp
    assert Folder(tmp_path, now=lambda: changed + 3_000_000_000).items(ENDINGS).items[0].stamp


def test_metadata_beside_a_file_belongs_to_it_and_to_its_stamp(tmp_path: Path) -> None:
    written(tmp_path, "a.pdf")
    alone = listed(tmp_path).items[0].stamp
    written(tmp_path, "a.pdf.meta.yaml", "b.pdf.meta.yaml")
    (item,) = listed(tmp_path).items
    assert item.meta
    assert (item.meta(), item.stamp != alone) == (b"text of a.pdf.meta.yaml", True)
    assert reasons(tmp_path) == {"b.pdf.meta.yaml": "metadata of a file that is not taken"}


def test_a_file_whose_metadata_cannot_be_taken_is_not_taken_without(tmp_path: Path) -> None:
    written(tmp_path / "docs", "a.pdf", "b.md")
    (tmp_path / "docs/a.pdf.meta.yaml").symlink_to(written(tmp_path, "secret.yaml") / "secret.yaml")
    assert names(tmp_path / "docs") == ["b.md"]
    assert "its metadata is not taken" in reasons(tmp_path / "docs")["a.pdf"]


def test_metadata_is_read_to_a_bound(tmp_path: Path) -> None:
    written(tmp_path, "a.pdf")
    (tmp_path / "a.pdf.meta.yaml").write_bytes(b"x" * 1_000_001)
    (item,) = listed(tmp_path).items
    assert item.meta
    with pytest.raises(OSError, match="too large"):
        item.meta()


def test_links_inside_are_followed_and_others_are_skipped_with_the_reason(tmp_path: Path) -> None:
    root = written(tmp_path / "root", "real.md", "inner/deep.md")
    written(tmp_path, "outside.md", "other/x.md")
    links = {
        "good.md": "real.md",
        "out.md": "../outside.md",
        "away": "../other",
        "up": "..",
        "inner/loop": "..",
        "twin": "inner",
        "self.md": "self.md",
        "gone.md": "nothing.md",
    }
    for name, target in links.items():
        (root / name).symlink_to(target)
    assert names(root) == ["good.md", "inner/deep.md", "real.md"]
    assert listed(root).items[0].read() == b"text of real.md"
    assert reasons(root) == {
        "away": "a symbolic link that leads out of the source",
        "gone.md": "a symbolic link to nothing",
        "inner/loop": "a symbolic link to a folder that it lies in",
        "out.md": "a symbolic link that leads out of the source",
        "self.md": "a symbolic link that leads in a circle",
        "twin": "a symbolic link to a folder, whose files are taken where they are",
        "up": "a symbolic link that leads out of the source",
    }


def test_a_mounted_configuration_with_its_links_into_hidden_folders_is_read(tmp_path: Path) -> None:
    written(tmp_path, "..2026_07/a.md")
    (tmp_path / "..data").symlink_to("..2026_07")
    (tmp_path / "a.md").symlink_to("..data/a.md")
    assert names(tmp_path) == ["a.md"]
    assert not reasons(tmp_path)


def test_pipes_and_sockets_are_skipped_and_never_opened() -> None:
    with tempfile.TemporaryDirectory() as short:  # a socket's path is short
        os.mkfifo(f"{short}/pipe.md")
        with socket.socket(socket.AF_UNIX) as bound:
            bound.bind(f"{short}/socket")
            assert set(reasons(Path(short))) == {"pipe.md", "socket"}
            assert not names(Path(short))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("a\nb.md", "control characters"),
        ("invoice\u202efdp.md", "control characters"),
        ("back\\slash.md", "backslash"),
        ("bad\udcff.md", "not UTF-8"),
    ],
)
def test_names_with_tricks_are_skipped_and_shown_harmlessly(tmp_path: Path, name: str, words: str) -> None:
    written(tmp_path, name, "ok.md")
    assert names(tmp_path) == ["ok.md"]
    ((told, reason),) = reasons(tmp_path).items()
    assert told.isprintable()
    assert words in reason


@pytest.mark.parametrize("twins", [("Fees.md", "fees.md"), ("caf\u00e9.md", "cafe\u0301.md")])
def test_of_two_names_alike_but_for_case_or_accents_one_is_taken(tmp_path: Path, twins: tuple[str, str]) -> None:
    written(tmp_path, *twins)
    first, second = sorted(twins)
    assert names(tmp_path) == [first]
    assert "only in case or in how accents are written" in reasons(tmp_path)[shown(second)]


def test_folders_too_deep_for_a_name_are_skipped(tmp_path: Path) -> None:
    inner = "/".join(["d" * 200] * 6)
    written(tmp_path, f"{inner}/a.md", "ok.md")
    assert names(tmp_path) == ["ok.md"]
    assert "longer than 1,024 bytes" in next(iter(reasons(tmp_path).values()))


def test_the_parts_of_a_saved_page_are_left_out(tmp_path: Path) -> None:
    written(tmp_path, "fees.html", "fees_files/frame.html", "fees_files/sub/x.md", "other_files/y.md")
    (tmp_path / "fees_files/link.md").symlink_to("/etc")
    assert names(tmp_path) == ["fees.html", "other_files/y.md"]
    assert not reasons(tmp_path)


def test_one_file_is_a_source_with_its_metadata(tmp_path: Path) -> None:
    written(tmp_path, ".fees.md", ".fees.md.meta.yaml", "x.md", "tool.exe")
    (item,) = listed(tmp_path / ".fees.md").items
    assert (item.name, item.origin, item.read()) == (".fees.md", f"{tmp_path}/.fees.md", b"text of .fees.md")
    assert item.meta
    assert reasons(tmp_path / "tool.exe") == {"tool.exe": "not a known type (.html, .md, .pdf)"}


def test_a_path_that_leads_nowhere_or_an_empty_folder_is_missing(tmp_path: Path) -> None:
    assert missing(tmp_path / "docs") == f"{tmp_path}/docs is not there. Is its disk mounted?"
    (tmp_path / "docs").mkdir()
    assert missing(tmp_path / "docs") == f"{tmp_path}/docs is empty. Is its disk mounted?"
    assert not listed(written(tmp_path / "docs", "readme.exe")).items


def test_a_file_that_went_or_changed_after_it_was_listed_is_not_read(tmp_path: Path) -> None:
    written(tmp_path, "a.md", "b.md", "c.md", "d.md")
    gone, longer, link, pipe = listed(tmp_path).items
    (tmp_path / "a.md").unlink()
    (tmp_path / "b.md").write_text("longer than it was")
    for name in ("c.md", "d.md"):
        (tmp_path / name).unlink()
    (tmp_path / "c.md").symlink_to("b.md")
    os.mkfifo(tmp_path / "d.md")
    assert "is gone" in unread(gone)
    assert "changed after it was listed" in unread(longer)
    assert "cannot be read" in unread(link)
    assert "changed after it was listed" in unread(pipe)
