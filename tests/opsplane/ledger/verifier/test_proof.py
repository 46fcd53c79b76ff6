"""Hashes and proofs agree with what RFC 6962 and 9162 publish and define."""

import hashlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsplane.ledger import verifier
from opsplane.ledger.verifier import START, Tree, verify_consistency, verify_inclusion
from tests.opsplane.ledger import trees

ENTRY: tuple[Any, ...] = (7, -5, "kind", "é", "role", "x", "s", "k", b'{"a":1}', b"\0sealed")


def test_an_entrys_hash_covers_exactly_these_bytes() -> None:
    written = "opsplane-entry/1\n7\n-5\nkind\né\nrole\nx\ns\nk\n" + "00" * 32 + '\n7\n{"a":1}'
    assert verifier.body(*ENTRY, START) == written.encode() + b"\0sealed"
    assert verifier.entry_hash(*ENTRY, START) == hashlib.sha256(b"\0" + written.encode() + b"\0sealed").digest()


@pytest.mark.parametrize("column", range(11))
@pytest.mark.parametrize("value", [None, True, 1.0, "a\nb", bytearray(b"x"), 2**70, "\ud800", []])
def test_what_is_no_entry_is_refused(column: int, value: object) -> None:
    fields = [*ENTRY, START]
    fields[column] = value
    with pytest.raises((TypeError, ValueError)):
        verifier.body(*fields)


@pytest.mark.parametrize("size", range(9))
def test_roots_are_the_published_ones(size: int) -> None:
    tree = Tree()
    for leaf in trees.LEAVES[:size]:
        tree.append(leaf)
    assert tree.root().hex() == trees.ROOTS[size]


@pytest.mark.parametrize(("index", "size", "path"), trees.INCLUSION)
def test_published_inclusion_proofs_verify(index: int, size: int, path: tuple[str, ...]) -> None:
    root = bytes.fromhex(trees.ROOTS[size])
    assert verify_inclusion(trees.LEAVES[index], index, size, trees.path(path), root)


@pytest.mark.parametrize(("old", "new", "path"), trees.CONSISTENCY)
def test_published_consistency_proofs_verify(old: int, new: int, path: tuple[str, ...]) -> None:
    roots = [bytes.fromhex(trees.ROOTS[size]) for size in (old, new)]
    assert verify_consistency(old, new, trees.path(path), *roots)


def _leaves(count: int) -> list[bytes]:
    return [trees.leaf(bytes([number])) for number in range(count)]


def test_a_proof_verifies_for_its_own_index_and_size_only() -> None:
    for size in range(1, 20):
        leaves = _leaves(size)
        root = trees.naive_root(leaves)
        for index in range(size):
            path = trees.naive_inclusion(index, leaves)
            assert verify_inclusion(leaves[index], index, size, path, root)
            assert not any(
                verify_inclusion(leaves[index], other, size, path, root) for other in range(-1, 21) if other != index
            )
            assert not verify_inclusion(leaves[index], index, size, [*path, root], root)
            assert not path or not verify_inclusion(leaves[index], index, size, path[:-1], root)


def test_consistency_verifies_for_its_own_sizes_and_roots_only() -> None:
    for new in range(1, 20):
        leaves = _leaves(new)
        root = trees.naive_root(leaves)
        for old in range(1, new + 1):
            path, before = trees.naive_consistency(old, leaves), trees.naive_root(leaves[:old])
            assert verify_consistency(old, new, path, before, root)
            assert not verify_consistency(old, new, [*path, root], before, root)
            assert not path or not verify_consistency(old, new, path[1:], before, root)
            assert old == new or not verify_consistency(old, new, path, root, root)
            assert old == new or not verify_consistency(old, new, path, before, before)


@given(st.integers(-3, 70), st.integers(-3, 70), st.lists(st.binary(max_size=33), max_size=8))
def test_made_up_proofs_neither_verify_nor_crash(first: int, second: int, path: list[bytes]) -> None:
    assert not verify_inclusion(b"l" * 32, first, second, path, b"r" * 32)
    assert not verify_consistency(first, second, path, b"a" * 32, b"b" * 32)


def test_a_tree_of_another_size_than_its_peaks_is_refused() -> None:
    with pytest.raises(ValueError, match="3 leaves has 2 peaks"):
        Tree(3, [START])
