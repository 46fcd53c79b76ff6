import shutil
from pathlib import Path

import pytest
from dulwich.objects import ObjectID
from dulwich.repo import Repo

from knowledge.sources.git import Git
from knowledge.sources.source import SourceMissing
from tests import git_server
from tests.git_server import LINK, SUBMODULE, commit

ENDINGS = (".md", ".pdf")
FILES = {"README.md": b"# All\n", "fees/2026.md": b"# Fees\n", "fees/2026.md.meta.yaml": b"owner: desk\n"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "policies"


def git(folder: Path, rest: str = "") -> Git:
    return Git(f"git+file://{folder}{rest}", folder.parent / "cache")


def contents(source: Git) -> dict[str, bytes]:
    return {item.name: item.read() for item in source.items(ENDINGS).items}


def missing(source: Git) -> str:
    with pytest.raises(SourceMissing) as caught:
        source.items(ENDINGS)
    return str(caught.value)


def test_a_commit_gives_its_files_with_metadata_and_origin(folder: Path) -> None:
    made = commit(folder, FILES)
    readme, fees = git(folder).items(ENDINGS).items
    assert (readme.name, readme.size, readme.read(), readme.meta) == ("README.md", 6, b"# All\n", None)
    assert fees.origin == f"file://{folder}@{made}:fees/2026.md"
    assert fees.meta
    assert fees.meta() == b"owner: desk\n"


def test_a_branch_a_tag_and_a_commit_are_read_as_they_stand(folder: Path) -> None:
    old = commit(folder, {"a.md": b"old"})
    git_server.tag(folder, "v1", old)
    commit(folder, {"a.md": b"draft"}, "refs/heads/draft/next")
    commit(folder, {"a.md": b"new"})
    expected = {"": b"new", "#main": b"new", "#draft/next": b"draft", "#v1": b"old", f"#{old}": b"old"}
    assert {rest: contents(git(folder, rest))["a.md"] for rest in expected} == expected


def test_a_folder_or_a_file_of_a_repository_is_a_source(folder: Path) -> None:
    made = commit(folder, FILES)
    assert contents(git(folder, "#main:fees")) == {"2026.md": b"# Fees\n"}
    (item,) = git(folder, "#:fees/2026.md").items(ENDINGS).items
    assert (item.name, item.origin) == ("2026.md", f"file://{folder}@{made}:fees/2026.md")
    assert item.meta


def test_the_stamp_changes_with_the_content_only(folder: Path) -> None:
    commit(folder, {"a.md": b"same", "b.md": b"old"})
    source = git(folder)
    before = source.items(ENDINGS).items
    commit(folder, {"a.md": b"same", "b.md": b"new"})
    after = source.items(ENDINGS).items
    assert [one.stamp == two.stamp for one, two in zip(before, after, strict=True)] == [True, False]
    assert before[1].read() == b"old"


def test_what_is_no_plain_file_is_skipped_with_the_reason(folder: Path) -> None:
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n"
    odd: dict[str, bytes | tuple[int, bytes]] = {
        "link.md": (LINK, b"/etc/passwd"),
        "module": (SUBMODULE, b"x"),
        "big.pdf": pointer,
        "ok.md": b"ok",
    }
    commit(folder, {**odd, ".github/hidden.md": b"x", "logo.png": b"x", "bad\udcff.md": b"x"})
    listing = git(folder).items(ENDINGS)
    assert [item.name for item in listing.items] == ["ok.md"]
    assert {skipped.name: skipped.reason.split(",")[0].split(";")[0] for skipped in listing.skipped} == {
        "bad\\udcff.md": "its name is not UTF-8",
        "big.pdf": "a Git LFS pointer",
        "link.md": "a symbolic link",
        "module": "a submodule",
    }


def test_names_alike_but_for_case_are_not_both_taken(folder: Path) -> None:
    commit(folder, {"Fees.md": b"A", "fees.md": b"B"})
    listing = git(folder).items(ENDINGS)
    assert [item.name for item in listing.items] == ["Fees.md"]
    assert "differs from Fees.md only in case" in listing.skipped[0].reason


def test_hooks_and_filters_of_a_repository_are_not_executed(folder: Path, tmp_path: Path) -> None:
    commit(folder, {"a.md": b"text", ".gitattributes": b"*.md filter=evil\n"})
    command = f"touch {tmp_path / 'executed'}"
    config = f'[filter "evil"]\n\tsmudge = {command}\n[core]\n\tfsmonitor = {command}\n\tsshCommand = {command}\n'
    (folder / "config").write_text((folder / "config").read_text() + config)
    for hook in ("post-checkout", "pre-commit", "reference-transaction"):
        (folder / "hooks").mkdir(exist_ok=True)
        (folder / "hooks" / hook).write_text(f"#!/bin/sh\n{command}\n")
        (folder / "hooks" / hook).chmod(0o755)
    assert contents(git(folder)) == {"a.md": b"text"}
    assert not (tmp_path / "executed").exists()


@pytest.mark.parametrize(
    ("rest", "words"),
    [("#other", "no branch or tag other"), ("#:nothing", "has no nothing"), ("#" + "0" * 40, "lacks")],
)
def test_what_the_repository_has_not_is_missing_in_words(folder: Path, rest: str, words: str) -> None:
    commit(folder, FILES)
    assert words in missing(git(folder, rest))


def test_a_folder_that_is_no_repository_is_missing(folder: Path) -> None:
    folder.mkdir()
    assert "no Git repository" in missing(git(folder))
    with Repo.init_bare(str(folder)):
        assert "no commit yet" in missing(git(folder))


def test_a_damaged_repository_is_missing_and_no_exception_of_the_library_leaves(folder: Path) -> None:
    commit(folder, FILES)
    for path in (folder / "objects").glob("??/*"):
        path.chmod(0o644)
        path.write_bytes(b"damaged")
    assert "Is it damaged?" in missing(git(folder))


def test_a_repository_that_went_gives_an_error_in_words(folder: Path) -> None:
    commit(folder, FILES)
    item = git(folder).items(ENDINGS).items[0]
    shutil.rmtree(folder)
    with pytest.raises(OSError, match="the repository lacks a part of itself"):
        item.read()


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("git+ssh://host/x", "Git over ssh is not supported"),
        ("git+https://me:secret@host/x", "no login"),
        ("git+http://host/x", "use git\\+https"),
        ("git+file://host/x", "is no Git source"),
        ("git+https:///x", "is no Git source"),
        ("git+file:///x#a..b", "no branch, tag or commit"),
        ("git+file:///x#main:../up", "path trick"),
        ("git+file:///x y", "%20"),
    ],
)
def test_a_text_that_names_no_repository_is_refused_in_words(spec: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=words):
        Git(spec, tmp_path)


def test_a_repository_elsewhere_is_fetched_once_for_each_commit(folder: Path, tmp_path: Path) -> None:
    commit(folder, {"a.md": b"old"})
    with git_server.serving({"/policies.git": folder}) as url:
        source = Git(f"git+{url}/policies.git#main", tmp_path / "cache")
        assert contents(source) == {"a.md": b"old"}
        made = commit(folder, {"a.md": b"new"})
        (item,) = source.items(ENDINGS).items
        assert (item.read(), item.origin) == (b"new", f"{url}/policies.git@{made}:a.md")
        assert contents(source) == {"a.md": b"new"}
    assert len(list((tmp_path / "cache").glob("*/*"))) == 2
    assert "cannot be read" in missing(source)
    assert contents(Git(f"git+{url}/policies.git#{made}", tmp_path / "cache")) == {"a.md": b"new"}


def test_only_the_commit_is_fetched_and_not_its_history(folder: Path, tmp_path: Path) -> None:
    old = commit(folder, {"a.md": b"old"})
    made = commit(folder, {"a.md": b"new"})
    git_server.tag(folder, "v2", made)
    with git_server.serving({"/policies.git": folder}) as url:
        assert contents(Git(f"git+{url}/policies.git#v2", tmp_path / "cache")) == {"a.md": b"new"}
    (kept,) = (tmp_path / "cache").glob("*/*")
    with Repo(str(kept)) as repo:
        assert ObjectID(made.encode()) in repo.object_store
        assert ObjectID(old.encode()) not in repo.object_store


def test_the_last_commits_fetched_are_kept_and_older_ones_deleted(folder: Path, tmp_path: Path) -> None:
    made = []
    commit(folder, {})
    with git_server.serving({"/policies.git": folder}) as url:
        for number in range(5):
            made.append(commit(folder, {"a.md": f"{number}".encode()}))
            assert contents(Git(f"git+{url}/policies.git", tmp_path / "cache")) == {"a.md": f"{number}".encode()}
    assert {path.name for path in (tmp_path / "cache").glob("*/*")} == set(made[-3:])


def test_a_server_without_the_repository_is_missing_in_words(folder: Path, tmp_path: Path) -> None:
    commit(folder, FILES)
    with git_server.serving({"/policies.git": folder}) as url:
        assert "no Git repository" in missing(Git(f"git+{url}/other.git", tmp_path / "cache"))
        assert "no branch or tag next" in missing(Git(f"git+{url}/policies.git#next", tmp_path / "cache"))
    assert not list((tmp_path / "cache").glob("*/*"))
