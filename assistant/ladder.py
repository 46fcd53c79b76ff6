"""The models that are asked one after the other, where and for how long; pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from opsplane.exchange import Tier
from opsplane.release import Model, Release, Resilience

EMBEDDED = "embedded:extractive"
_REGIONAL = "google_genai"
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 8.0
"""Seconds: what the first pause is drawn from, doubled at each try, and the most that it grows to."""
_LEAST_SHARE, _RESERVE = 0.25, 1.0
"""What is kept for the embedded model: a share of the deadline, at most so many seconds."""


@dataclass(frozen=True)
class Rung:
    """A model of a release in a region; the region is empty where a model is not asked in regions."""

    tier: Tier
    model: Model
    region: str = ""

    @property
    def name(self) -> str:
        """The model's name as the release has it."""
        return self.model.name

    @property
    def embedded(self) -> bool:
        """Whether it needs nothing but the passages."""
        return self.model.name == EMBEDDED

    @property
    def where(self) -> str:
        """Model and region, for people."""
        return f"{self.name} in {self.region}" if self.region else self.name

    @property
    def provider(self) -> str:
        """Who is asked."""
        return self.name.partition(":")[0]


def rungs(release: Release, tier: Tier, locations: Sequence[str]) -> tuple[Rung, ...]:
    """What is asked for a tier, best first: the model itself, then what the release falls back on.

    `locations` are the cloud's regions in order, none where there is no cloud. Nothing stands there twice, and nothing
    after the embedded model, which always answers.
    """
    found: dict[tuple[str, str, str], Rung] = {}
    for one in _wanted(release, tier, locations):
        found.setdefault((one.name, repr(sorted(one.model.settings.items())), one.region), one)
        if one.embedded:
            break
    return tuple(found.values())


def _wanted(release: Release, tier: Tier, locations: Sequence[str]) -> Iterator[Rung]:
    first = rung(release, tier, locations)
    yield first
    terms = release.models.resilience
    for kind in terms.fallback if terms else ():
        if kind == "pro":
            yield rung(release, _other(tier), locations)
        elif kind == "region" and locations and first.region == locations[0] and in_cloud(first.model):
            yield from (Rung(tier, first.model, region) for region in locations[1:])
        elif kind == "embedded":
            yield Rung(tier, Model(name=EMBEDDED))


def rung(release: Release, tier: Tier, locations: Sequence[str]) -> Rung:
    """A tier's own model, where it is asked first: in the region that its settings name, else in the cloud's."""
    model: Model = getattr(release.models, tier.value)
    own = str(model.settings.get("location", ""))
    return Rung(tier, model, locations[0] if locations and in_cloud(model) and not own else own)


def in_cloud(model: Model) -> bool:
    """Whether the cloud's settings say where a model is and who asks; a release that says so itself goes before."""
    own_way = "api_key" in model.settings or model.settings.get("vertexai") is False
    return model.name.partition(":")[0] == _REGIONAL and not own_way


def _other(tier: Tier) -> Tier:
    return Tier.PRO if tier is Tier.FLASH else Tier.FLASH


def reserve(terms: Resilience, last: Rung) -> float:
    """Seconds of the deadline that no language model gets, where the embedded one stands behind them."""
    return min(_RESERVE, terms.first_token_seconds * _LEAST_SHARE) if last.embedded else 0.0


def share(left: float, behind: int) -> float:
    """How long a model may keep everybody waiting: half of what is left where others stand behind it, else all of it.

    Halves, since the model that was chosen deserves more time than those that stand in for it.
    """
    return max(left, 0.0) / 2 if behind else max(left, 0.0)


def pause(tries: int, wait: float, chance: float) -> float:
    """Seconds until the next try after so many: full jitter beyond what the provider asks for.

    `chance` is a random number in [0, 1). Full jitter: Brooker, Exponential Backoff and Jitter, AWS 2015.
    """
    return wait + chance * min(_LONGEST_PAUSE, _FIRST_PAUSE * 2.0 ** (tries - 1))
