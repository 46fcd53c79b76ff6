import zlib
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import pytest
from dulwich.object_format import SHA1
from dulwich.objects import Blob
from dulwich.pack import write_pack_objects

from knowledge.sources.packed import Place, Size, Sizes

TEXT = b"".join(b"line %d of a long page of conditions\n" % number for number in range(3000))
BASE, DELTA = b"b" * 20, b"d" * 20


def located(places: Mapping[bytes, Place], name: bytes) -> Place:
    return places[name]


def measured(path: Path, *entries: bytes, names: tuple[bytes, ...] = (BASE, DELTA)) -> Sizes:
    """Sizes in a pack of these entries, the first named BASE, the second DELTA."""
    path.write_bytes(b"PACK" + b"".join(entries) + b"end of the pack")
    starts = [4 + sum(len(entry) for entry in entries[:number]) for number in range(len(entries))]
    return Sizes(partial(located, {name: (path, start) for name, start in zip(names, starts, strict=True)}), 20)


def difference(base: int, result: int) -> bytes:
    """A difference whose sizes take two bytes each."""
    sizes = b"".join(bytes([number & 0x7F | 0x80, number >> 7]) for number in (base, result))
    return zlib.compress(sizes + b"\x01x")


WHOLE = bytes([3 << 4 | 0x8 | 0x80, 10]) + zlib.compress(b"x" * 168)
"""A file of 8 + (10 << 4) bytes."""


def test_files_in_a_pack_as_git_writes_it_have_the_size_of_their_content(tmp_path: Path) -> None:
    pages = [Blob.from_string(TEXT + b"x" * number) for number in range(4)]
    with (tmp_path / "a.pack").open("wb") as file:
        entries, _ = write_pack_objects(file, pages, SHA1, deltify=True)
    assert (tmp_path / "a.pack").stat().st_size < len(zlib.compress(TEXT)) * 2  # they are differences
    places = {name: (tmp_path / "a.pack", offset) for name, (offset, _) in entries.items()}
    with Sizes(partial(located, places), 20) as sizes:
        assert sorted(sizes.of(name).own for name in places) == [len(TEXT) + number for number in range(4)]


def test_a_loose_object_tells_its_size_in_its_head(tmp_path: Path) -> None:
    (tmp_path / "loose").write_bytes(zlib.compress(b"blob 12345\0" + TEXT))
    assert Sizes(partial(located, {BASE: (tmp_path / "loose", -1)}), 20).of(BASE) == Size(12345, 12345)


@pytest.mark.parametrize("kind", [bytes([6 << 4 | 9, len(WHOLE)]), bytes([7 << 4 | 9]) + BASE])
def test_a_difference_tells_the_size_of_its_result_and_of_what_it_builds_on(tmp_path: Path, kind: bytes) -> None:
    with measured(tmp_path / "a.pack", WHOLE, kind + difference(168, 150)) as sizes:
        assert sizes.of(BASE) == Size(168, 168)
        assert sizes.of(DELTA) == Size(150, 168)


@pytest.mark.parametrize("kind", [bytes([7 << 4 | 9]) + DELTA, bytes([6 << 4 | 9, 0])])
def test_a_difference_that_builds_on_itself_comes_to_an_end(tmp_path: Path, kind: bytes) -> None:
    with (
        measured(tmp_path / "a.pack", WHOLE, kind + difference(168, 150)) as sizes,
        pytest.raises(ValueError, match=r"without an end|on itself"),
    ):
        sizes.of(DELTA)


def test_a_number_without_an_end_is_refused(tmp_path: Path) -> None:
    with measured(tmp_path / "a.pack", b"\xff" * 40, names=(BASE,)) as sizes, pytest.raises(ValueError, match="large"):
        sizes.of(BASE)
