from itertools import accumulate, repeat
from typing import Any

import pytest

from assistant import ladder
from assistant.ladder import EMBEDDED, Rung
from opsplane.exchange import Tier
from opsplane.release import Model, Resilience
from tests import fakes

FLASH, PRO = "google_genai:gemini-3.8-flash", "google_genai:gemini-4-argon"
REGIONS = ("us-central1", "europe-west4", "asia-east1")


def rungs(tier: Tier = Tier.FLASH, regions: tuple[str, ...] = REGIONS, **models: Any) -> list[tuple[str, str]]:
    told = {"flash": {"name": FLASH}, "pro": {"name": PRO}, "resilience": {}} | models
    return [(one.name, one.region) for one in ladder.rungs(fakes.release(models=told), tier, regions)]


def test_flash_falls_back_on_pro_then_other_regions_then_the_embedded_model() -> None:
    assert rungs() == [(FLASH, REGIONS[0]), (PRO, REGIONS[0]), (FLASH, REGIONS[1]), (FLASH, REGIONS[2]), (EMBEDDED, "")]


def test_pro_falls_back_on_flash() -> None:
    assert rungs(Tier.PRO, REGIONS[:1]) == [(PRO, REGIONS[0]), (FLASH, REGIONS[0]), (EMBEDDED, "")]


def test_the_release_decides_the_order_and_what_is_left_out() -> None:
    told = {"fallback": ["region", "pro"]}
    assert rungs(regions=REGIONS[:2], resilience=told) == [(FLASH, REGIONS[0]), (FLASH, REGIONS[1]), (PRO, REGIONS[0])]
    assert rungs(resilience={"fallback": []}) == [(FLASH, REGIONS[0])]


def test_without_resilience_there_is_one_rung() -> None:
    assert rungs(resilience=None) == [(FLASH, REGIONS[0])]


def test_without_a_cloud_there_are_no_regions() -> None:
    assert rungs(regions=()) == [(FLASH, ""), (PRO, ""), (EMBEDDED, "")]


def test_a_model_that_names_its_region_stays_there() -> None:
    fixed = {"name": FLASH, "settings": {"location": "europe-west1"}}
    assert rungs(flash=fixed) == [(FLASH, "europe-west1"), (PRO, REGIONS[0]), (EMBEDDED, "")]


@pytest.mark.parametrize("settings", [{"api_key": "k"}, {"vertexai": False}])
def test_a_model_with_a_way_in_of_its_own_is_not_the_clouds(settings: dict[str, Any]) -> None:
    assert rungs(flash={"name": FLASH, "settings": settings})[0] == (FLASH, "")


def test_nothing_stands_there_twice_and_nothing_after_the_embedded_model() -> None:
    assert rungs(regions=REGIONS[:1], pro={"name": FLASH}) == [(FLASH, REGIONS[0]), (EMBEDDED, "")]
    assert rungs(resilience={"fallback": ["embedded", "pro"]}) == [(FLASH, REGIONS[0]), (EMBEDDED, "")]


def test_other_providers_have_no_other_regions() -> None:
    assert rungs(flash={"name": "openai:gpt-5"})[:2] == [("openai:gpt-5", ""), (PRO, REGIONS[0])]


def test_the_embedded_model_alone_needs_no_ladder() -> None:
    assert rungs(flash={"name": EMBEDDED}, pro={"name": EMBEDDED}) == [(EMBEDDED, "")]


def test_half_of_what_is_left_and_all_of_it_for_the_last() -> None:
    assert [ladder.share(left, behind) for left, behind in ((8.0, 3), (4.0, 1), (2.0, 0), (-1.0, 2))] == [4, 2, 2, 0]


def test_time_is_kept_only_for_an_embedded_model_that_stands_there() -> None:
    embedded, other = Rung(Tier.FLASH, Model(name=EMBEDDED)), Rung(Tier.FLASH, Model(name=FLASH))
    assert ladder.reserve(Resilience(first_token_seconds=8.0), embedded) == 1.0
    assert ladder.reserve(Resilience(first_token_seconds=0.4), embedded) == pytest.approx(0.1)
    assert ladder.reserve(Resilience(), other) == 0.0


def test_the_shares_of_all_are_the_deadline() -> None:
    shares = accumulate(repeat(0, 4), lambda spent, _: spent + ladder.share(7.0 - spent, 3), initial=0.0)
    assert max(shares) <= 7.0


def test_pauses_double_up_to_a_limit_beyond_what_is_asked_for() -> None:
    assert [ladder.pause(tries, 0.0, 1.0) for tries in (1, 2, 3, 9)] == [0.5, 1.0, 2.0, 8.0]
    assert ladder.pause(1, 30.0, 0.0) == 30.0
