"""Whether a statement is about the other side: outgoing where a question says incoming, credit where it says debit."""

from collections.abc import Iterable
from functools import lru_cache

from assistant.extractive.lexicon import reader


@lru_cache(maxsize=65_536)
def clash(asked: frozenset[str], held: frozenset[str]) -> bool:
    """Whether a text with the terms `held` names only sides that a question with the terms `asked` does not name."""
    return any(
        _named(group, asked) and _named(group, held) and not _named(group, asked) & _named(group, held)
        for group in reader().opposites
    )


def _named(group: Iterable[frozenset[str]], terms: frozenset[str]) -> set[frozenset[str]]:
    return {side for side in group if side & terms}
