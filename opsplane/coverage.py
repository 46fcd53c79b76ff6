"""How much of what was answered people looked at, how far they say the same, and which release they prefer. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import TypeVar

from opsplane.evaluation import agreement
from opsplane.evaluation.agreement import Level
from opsplane.evaluation.estimate import Estimate
from opsplane.guardrails.sweep import wilson
from opsplane.review import Reason, Verdict

MOST_PAIRS = 20
"""So many pairs of reviewers are compared, those who judged most of the same exchanges."""
_VERDICTS = [one.value for one in Verdict]
_PREFERRED = ["first", "second", "tie"]


@dataclass(frozen=True)
class Count:
    """So many exchanges ended like this, were queued for this reason (or none) and got this verdict (or none)."""

    outcome: str
    reason: str
    verdict: str
    number: int


@dataclass(frozen=True)
class Opinion:
    """What one reviewer said of one exchange: a verdict, and a score (0 to 100) and marks (1 to 5) if there are any."""

    exchange: str
    reviewer: str
    verdict: str
    score: int | None = None
    marks: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Preference:
    """Which of two releases' answers one reviewer preferred in one exchange; releases by digest."""

    exchange: str
    reviewer: str
    first: str
    second: str
    preferred: str  # first, second or tie

    @property
    def better(self) -> str:
        """The digest of the release that was preferred, empty for a tie."""
        return {"first": self.first, "second": self.second}.get(self.preferred, "")


@dataclass(frozen=True)
class Share:
    """How many of some exchanges were reviewed."""

    name: str
    exchanges: int
    reviewed: int

    @property
    def share(self) -> float | None:
        """The part that was reviewed, in [0, 1]; None where there are no exchanges."""
        return self.reviewed / self.exchanges if self.exchanges else None


@dataclass(frozen=True)
class Work:
    """How many exchanges one reviewer judged, and how."""

    reviewer: str
    verdicts: dict[str, int]

    @property
    def reviewed(self) -> int:
        """All of them."""
        return sum(self.verdicts.values())


@dataclass(frozen=True)
class Concord:
    """How far all reviewers say the same about one thing: Krippendorff's alpha over what more than one spoke on."""

    about: str  # verdict, score, a criterion or preference
    alpha: Estimate


@dataclass(frozen=True)
class Couple:
    """How far two reviewers give the same verdicts: Cohen's kappa over the exchanges that both judged."""

    one: str
    other: str
    kappa: Estimate


@dataclass(frozen=True)
class Contest:
    """How often each of two releases (digests) was preferred, one count for each exchange: what most reviewers said."""

    release: str
    other: str
    won: int
    lost: int
    tied: int

    @property
    def share(self) -> float | None:
        """The part that `release` won of what one of the two won, in [0, 1]; None where all were ties."""
        return self.won / (self.won + self.lost) if self.won + self.lost else None

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % score interval of that share."""
        return wilson(self.won, self.won + self.lost)


@dataclass(frozen=True)
class Coverage:
    """What share was reviewed, by whom, how far reviewers of the same exchange agree, and which release they prefer.

    `pairs` counts the pairs of reviewers over exchanges that more than one judged, `equal` those of one verdict.
    `releases` are the releases' names by digest.
    """

    whole: Share
    reasons: tuple[Share, ...]
    outcomes: tuple[Share, ...]
    reviewers: tuple[Work, ...]
    pairs: int
    equal: int
    contests: tuple[Contest, ...] = ()
    concords: tuple[Concord, ...] = ()
    couples: tuple[Couple, ...] = ()
    releases: Mapping[str, str] = field(default_factory=dict)

    @property
    def agreement(self) -> float | None:
        """The part of pairs with one verdict, in [0, 1]; None where no exchange was judged twice."""
        return self.equal / self.pairs if self.pairs else None


def coverage(
    counts: Sequence[Count],
    opinions: Iterable[Opinion],
    preferences: Iterable[Preference] = (),
    releases: Mapping[str, str] | None = None,
) -> Coverage:
    """Add up. Of several words of one reviewer on one exchange the last counts; `releases` are names, oldest first."""
    latest = list({(one.exchange, one.reviewer): one for one in opinions}.values())
    preferred = list({(one.exchange, one.reviewer): one for one in preferences}.values())
    by_reviewer: dict[str, Counter[str]] = {}
    for one in latest:
        by_reviewer.setdefault(one.reviewer, Counter())[one.verdict] += 1
    verdicts = list(_by_exchange(latest).values())
    known = [reason.value for reason in Reason]
    return Coverage(
        whole=_share("all", counts),
        reasons=tuple(_share(name or "none", [one for one in counts if one.reason == name]) for name in [*known, ""]),
        outcomes=tuple(
            _share(name, [one for one in counts if one.outcome == name]) for name in sorted({c.outcome for c in counts})
        ),
        reviewers=tuple(Work(name, dict(by_reviewer[name])) for name in sorted(by_reviewer)),
        pairs=sum(_pairs(len(said)) for said in verdicts),
        equal=sum(_pairs(n) for said in verdicts for n in Counter(one.verdict for one in said).values()),
        contests=_contests(preferred, list(releases or ())),
        concords=_concords(latest, preferred),
        couples=_couples(latest),
        releases=releases or {},
    )


_Said = TypeVar("_Said", Opinion, Preference)


def _by_exchange(said: Iterable[_Said]) -> dict[str, list[_Said]]:
    found: dict[str, list[_Said]] = {}
    for one in said:
        found.setdefault(one.exchange, []).append(one)
    return found


def _concords(opinions: Sequence[Opinion], preferences: Sequence[Preference]) -> tuple[Concord, ...]:
    """Alpha for all that two reviewers spoke on: verdicts have no order, marks have one, and scores are numbers.

    A preference is taken by the place of the answer, which is the same for all reviewers of an exchange.
    """
    judged, compared = _by_exchange(opinions).values(), _by_exchange(preferences).values()
    things: list[tuple[str, Level, list[list[float | None]]]] = [
        ("verdict", Level.NOMINAL, [[_VERDICTS.index(one.verdict) for one in said] for said in judged]),
        ("score", Level.INTERVAL, [[one.score for one in said] for said in judged]),
    ]
    for name in dict.fromkeys(name for one in opinions for name in one.marks):
        things.append((name, Level.ORDINAL, [[one.marks.get(name) for one in said] for said in judged]))
    things.append(
        ("preference", Level.NOMINAL, [[_PREFERRED.index(one.preferred) for one in said] for said in compared])
    )
    found = [Concord(name, agreement.alpha(units, level)) for name, level, units in things]
    return tuple(one for one in found if one.alpha.number)


def _couples(opinions: Sequence[Opinion]) -> tuple[Couple, ...]:
    """Kappa for each two reviewers with exchanges that both judged, those with most of them."""
    verdicts: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for said in _by_exchange(opinions).values():
        for one, other in combinations(sorted(said, key=lambda each: each.reviewer), 2):
            verdicts.setdefault((one.reviewer, other.reviewer), []).append((one.verdict, other.verdict))
    most = sorted(verdicts.items(), key=lambda pair: (-len(pair[1]), pair[0]))[:MOST_PAIRS]
    return tuple(Couple(*names, _kappa(said)) for names, said in most)


def _kappa(said: Sequence[tuple[str, str]]) -> Estimate:
    first, second = zip(*said, strict=True)
    return agreement.kappa(agreement.table(first, second, _VERDICTS))


def _contests(preferences: Iterable[Preference], releases: Sequence[str]) -> tuple[Contest, ...]:
    """How each two releases fared, the newer against the older.

    Reviewers of one exchange count as one: what two say of the same answers is not independent.
    """
    ages = {digest: age for age, digest in enumerate(releases)}
    votes: dict[tuple[str, str], dict[str, Counter[str]]] = {}
    for one in preferences:
        newer, older = sorted((one.first, one.second), key=lambda digest: (-ages.get(digest, -1), digest))
        votes.setdefault((newer, older), {}).setdefault(one.exchange, Counter())[one.better] += 1
    return tuple(_contest(pair, said.values()) for pair, said in sorted(votes.items()))


def _contest(pair: tuple[str, str], exchanges: Iterable[Counter[str]]) -> Contest:
    left, right = pair
    ahead = [said[left] - said[right] for said in exchanges]
    won, lost = sum(one > 0 for one in ahead), sum(one < 0 for one in ahead)
    return Contest(left, right, won, lost, len(ahead) - won - lost)


def _share(name: str, counts: Sequence[Count]) -> Share:
    return Share(name, sum(one.number for one in counts), sum(one.number for one in counts if one.verdict))


def _pairs(number: int) -> int:
    return number * (number - 1) // 2
