"""A release by whatever people call it; what is unknown or ambiguous is told with what was near."""

import pytest

from opsplane import lookup
from opsplane.errors import Conflict, InvalidRequest, NotFound
from opsplane.release import Release
from opsplane.state import Registered, State
from tests import fakes

ONE = fakes.release(id="heron-6")
CHANGED = fakes.release(id="heron-6", note="registered later")
TWO = fakes.release(id="heron-7")
LOST = "abcdef" + "0" * 58


def state(*releases: Release, **lost: str) -> State:
    """These releases in this order, and others by digest that this version cannot read."""
    registered = {one.digest: Registered(one.id, fakes.NOON, one.canonical().decode()) for one in releases}
    registered |= {digest: Registered(id_, fakes.NOON, "{}") for digest, id_ in lost.items()}
    return State(registered, {one.digest: one for one in releases})


ALL = state(ONE, CHANGED, TWO, **{LOST: "heron-0"})


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("heron-7", TWO),
        (" Heron-7 ", TWO),
        ("heron-6", CHANGED),
        (ONE.short, ONE),
        (f"heron-6@{ONE.digest}", ONE),
        (ONE.digest, ONE),
        (ONE.digest[:6], ONE),
        (ONE.digest[:10].upper(), ONE),
    ],
)
def test_a_release_is_found_by_id_or_digest(name: str, meant: Release) -> None:
    assert lookup.find(ALL, name) == meant


@pytest.mark.parametrize(
    "name", ["nope", ONE.digest[:5], f"heron-7@{ONE.digest}", f"heron-6@{ONE.digest[:5]}", "@", ""]
)
def test_an_unknown_release_is_told_with_the_known_ones(name: str) -> None:
    with pytest.raises(NotFound, match=r"heron-0, heron-6, heron-7"):
        lookup.find(ALL, name)


def test_a_mistyped_id_is_told_the_nearest() -> None:
    with pytest.raises(NotFound, match=r"There is no release 'herno-3'\. Did you mean heron-7"):
        lookup.find(ALL, "herno-3")
    with pytest.raises(NotFound) as caught:
        lookup.find(ALL, "zzz")
    assert "Did you mean" not in str(caught.value)


def test_the_beginning_of_several_digests_names_them() -> None:
    twins = {f"abcdef{number}" + "0" * 57: f"twin-{number}" for number in (1, 2)}
    with pytest.raises(InvalidRequest, match=r"several digests: twin-1@abcdef1000000000, twin-2@abcdef2000000000"):
        lookup.find(state(**twins), "abcdef")


@pytest.mark.parametrize("name", ["heron-0", "abcdef", f"heron-0@{LOST[:12]}"])
def test_a_release_of_another_version_is_a_conflict(name: str) -> None:
    with pytest.raises(Conflict, match="another version of the product"):
        lookup.find(ALL, name)


def test_an_id_counts_before_the_beginning_of_a_digest() -> None:
    named = fakes.release(id=ONE.digest[:8])
    assert lookup.find(state(ONE, named), ONE.digest[:8]) == named


def test_of_hundreds_of_releases_the_newest_are_told() -> None:
    many = state(**{f"{number:064x}": f"crane-{number:03}" for number in range(300)})
    with pytest.raises(NotFound, match=r"Known releases: crane-288, .*crane-299 and 288 older ones\."):
        lookup.find(many, "nope")


def test_where_nothing_is_registered_that_is_told() -> None:
    with pytest.raises(NotFound, match="Known releases: none"):
        lookup.find(State(), "heron-6")
