"""Proofs out of stored subtrees are those of RFC 9162, and are read in a handful of short runs."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opsplane.ledger import merkle, verifier
from opsplane.ledger.merkle import Frontier
from tests.opsplane.ledger import trees


class Stored:
    """A tree's stored subtrees in memory, as the tables hold them; counts what is read."""

    def __init__(self, leaves: Sequence[bytes]) -> None:
        self.leaves = list(leaves)
        self.levels: dict[int, list[bytes]] = {0: self.leaves}
        self.reads: list[int] = []
        self.frontier = Frontier()
        for leaf in leaves:
            for level, number, node in self.frontier.append(leaf):
                kept = self.levels.setdefault(level, [])
                assert number == len(kept)
                kept.append(node)

    def read(self, level: int, first: int, count: int) -> Sequence[bytes]:
        found = self.levels.get(level, [])[first : first + count]
        self.reads.append(len(found))
        return found


def leaves(count: int) -> list[bytes]:
    return [trees.leaf(number.to_bytes(3)) for number in range(count)]


@pytest.mark.parametrize("size", range(9))
def test_published_roots(size: int) -> None:
    assert merkle.root(Stored(trees.LEAVES[:size]).read, size).hex() == trees.ROOTS[size]


@pytest.mark.parametrize(("index", "size", "path"), trees.INCLUSION)
def test_published_inclusion_proofs(index: int, size: int, path: tuple[str, ...]) -> None:
    assert merkle.inclusion(Stored(trees.LEAVES).read, index, size) == trees.path(path)


@pytest.mark.parametrize(("old", "new", "path"), trees.CONSISTENCY)
def test_published_consistency_proofs(old: int, new: int, path: tuple[str, ...]) -> None:
    assert merkle.consistency(Stored(trees.LEAVES).read, old, new) == trees.path(path)


def test_every_proof_of_small_trees_is_as_defined() -> None:
    everything = Stored(leaves(40))
    for size in range(1, 41):
        part = everything.leaves[:size]
        assert merkle.root(everything.read, size) == trees.naive_root(part)
        for index in range(size):
            assert merkle.inclusion(everything.read, index, size) == trees.naive_inclusion(index, part)
            assert merkle.consistency(everything.read, index + 1, size) == trees.naive_consistency(index + 1, part)


LARGE = Stored(leaves(5000))


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 5000), st.data())
def test_proofs_over_several_stored_levels_are_as_defined_and_verify(size: int, data: st.DataObject) -> None:
    old = data.draw(st.integers(1, size))
    part, root = LARGE.leaves[:size], merkle.root(LARGE.read, size)
    path, steps = merkle.inclusion(LARGE.read, old - 1, size), merkle.consistency(LARGE.read, old, size)
    assert (root, path) == (trees.naive_root(part), trees.naive_inclusion(old - 1, part))
    assert steps == trees.naive_consistency(old, part)
    assert verifier.verify_inclusion(part[old - 1], old - 1, size, path, root)
    assert verifier.verify_consistency(old, size, steps, merkle.root(LARGE.read, old), root)


@given(st.integers(0, 5000))
def test_peaks_read_from_storage_are_the_frontiers(size: int) -> None:
    grown = Frontier(size, merkle.peaks(LARGE.read, size))
    for leaf in LARGE.leaves[size : size + 20]:
        grown.append(leaf)
    assert grown.root() == merkle.root(LARGE.read, grown.size)


def test_every_complete_subtree_of_sixteen_and_its_powers_is_stored() -> None:
    assert {level: len(nodes) for level, nodes in LARGE.levels.items()} == {0: 5000, 4: 312, 8: 19, 12: 1}
    assert LARGE.levels[8][3] == trees.naive_root(LARGE.leaves[3 * 256 : 4 * 256])


def test_a_proof_reads_few_and_short_runs() -> None:
    LARGE.reads.clear()
    merkle.inclusion(LARGE.read, 1234, 4999)
    assert len(LARGE.reads) <= 8
    assert max(LARGE.reads) <= 16


def test_a_copy_of_a_frontier_goes_its_own_way() -> None:
    one = Frontier()
    one.append(trees.LEAVES[0])
    other = one.copy()
    other.append(trees.LEAVES[1])
    assert (one.size, one.root().hex(), other.root().hex()) == (1, *trees.ROOTS[1:3])


@pytest.mark.parametrize(("index", "size"), [(0, 0), (5, 5), (-1, 5)])
def test_a_leaf_that_is_not_there_has_no_proof(index: int, size: int) -> None:
    with pytest.raises(ValueError, match="has no leaf"):
        merkle.inclusion(LARGE.read, index, size)


@pytest.mark.parametrize(("old", "new"), [(0, 5), (6, 5), (-1, 5)])
def test_a_tree_that_is_no_beginning_has_no_proof(old: int, new: int) -> None:
    with pytest.raises(ValueError, match="cannot be proven"):
        merkle.consistency(LARGE.read, old, new)


def test_a_lost_node_is_named_and_no_proof_is_made_up() -> None:
    broken = Stored(leaves(600))
    del broken.levels[4][30:]
    with pytest.raises(ValueError, match="lacks subtree"):
        merkle.inclusion(broken.read, 0, 600)


def test_a_frontier_with_the_wrong_peaks_is_refused() -> None:
    with pytest.raises(ValueError, match="2 peaks"):
        Frontier(3, [trees.LEAVES[0]])
