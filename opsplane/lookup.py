"""A release by what a person calls it: id, id@digest, or the beginning of the digest."""

import difflib
from collections.abc import Sequence

from opsplane.errors import Conflict, InvalidRequest, NotFound
from opsplane.release import Release
from opsplane.state import State

SHORTEST = 6
"""Characters of a digest that are enough to name a release by."""
LISTED = 12
"""Ids that are told where none of them was meant."""


def find(state: State, name: str) -> Release:
    """The release of this name; of an id the newest registration.

    Raises `NotFound` with the nearest ids, `InvalidRequest` for the beginning of several digests, and `Conflict` for
    a release that another version of the product registered.
    """
    id_, at, digest = name.strip().lower().partition("@")
    if at:
        named = _beginning(state, digest, id_)
    else:
        named = [one for one, registered in state.registered.items() if registered.id == id_]
        named = named or _beginning(state, id_)
    if readable := [one for one in named if one in state.releases]:
        return state.releases[readable[-1]]
    if named:
        raise Conflict(f"The release {name} was registered by another version of the product; /releases lists it.")
    raise NotFound(_unknown([one.id for one in state.registered.values()], name[:80], id_))


def _beginning(state: State, digest: str, id_: str = "") -> list[str]:
    """The one digest that begins so, if one does; of this id where one is given."""
    if len(digest) < SHORTEST:
        return []
    found = [one for one, named in state.registered.items() if one.startswith(digest) and id_ in ("", named.id)]
    if len(found) > 1:
        names = ", ".join(f"{state.registered[one].id}@{one[:16]}" for one in found)
        raise InvalidRequest(f"{digest} is the beginning of several digests: {names}. Write more of it.")
    return found


def _unknown(ids: Sequence[str], name: str, id_: str) -> str:
    known = list(dict.fromkeys(reversed(ids)))
    near = difflib.get_close_matches(id_, known, n=2, cutoff=0.6)
    hint = f" Did you mean {' or '.join(near)}?" if near else ""
    listed = ", ".join(sorted(known[:LISTED])) or "none"
    more = f" and {len(known) - LISTED} older ones" if len(known) > LISTED else ""
    return f"There is no release {name!r}.{hint} Known releases: {listed}{more}."
