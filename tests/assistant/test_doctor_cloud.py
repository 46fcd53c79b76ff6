"""What the doctor says of Google Cloud, asked over the real clients."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from assistant import doctor, doctor_cloud, doctor_services
from assistant.doctor import Health, Sign
from assistant.settings import Settings
from tests import fakes
from tests.vertex.cloud import Cloud
from tests.vertex.faults import Kind
from tests.vertex.server import serving
from tests.vertex.services import VERBS

ROOT = Path(__file__).parents[2]
FLASH = "Gemini: gemini-3.8-flash in us-central1"


@pytest.fixture(scope="module")
def running() -> Iterator[Cloud]:
    with serving(VERBS) as cloud:
        yield cloud


@pytest.fixture
def cloud(running: Cloud) -> Iterator[Cloud]:
    yield running
    running.faults.clear()


def settings(cloud: Cloud, folder: Path, **changes: Any) -> Settings:
    given: dict[str, Any] = {
        "data": folder,
        "releases": ROOT / "deploy" / "releases",
        "release": "heron-cloud",
        "google_project": cloud.project,
        "google_credentials": "none",
        "google_endpoint": cloud.url,
    }
    return Settings(**given | changes)


def signs(chosen: Settings) -> dict[str, Sign]:
    asked = (doctor_cloud.probes, doctor_services.probes)
    return {
        sign.name: sign
        for sign in doctor.examine([one for probes in asked for one in probes(chosen, fakes.Clock())], seconds=60)
    }


def test_both_models_are_asked_in_every_region(cloud: Cloud, tmp_path: Path) -> None:
    found = signs(settings(cloud, tmp_path, google_other_locations="us-east4"))
    assert {name for name in found if name.startswith("Gemini")} == {
        f"Gemini: {model} in {region}"
        for model in ("gemini-3.8-flash", "gemini-4-argon")
        for region in ("us-central1", "us-east4")
    }
    assert Health.ILL not in {sign.health for sign in found.values()}
    assert {call.name for call in cloud.heard("gemini")} == {"gemini.count"}


def test_a_wrong_project_names_its_setting(cloud: Cloud, tmp_path: Path) -> None:
    sign = signs(settings(cloud, tmp_path, google_project="other"))[FLASH]
    assert sign.health is Health.ILL
    assert "not permitted in other: give this account roles/aiplatform.user" in sign.words
    assert "OPSPLANE_GOOGLE_PROJECT" in sign.words


def test_a_quota_that_is_used_up_is_a_doubt(cloud: Cloud, tmp_path: Path) -> None:
    cloud.faults.add(Kind.BUSY, "gemini.count", "us-central1")
    assert signs(settings(cloud, tmp_path))[FLASH].health is Health.DOUBTFUL


def test_a_model_that_has_retired_names_the_release(cloud: Cloud, tmp_path: Path) -> None:
    raw = yaml.safe_load((ROOT / "deploy/releases/heron-cloud.yaml").read_text())
    raw["models"]["flash"]["name"] = "google_genai:gemini-2.5-flash"
    (tmp_path / "releases").mkdir()
    (tmp_path / "releases" / "heron-cloud.yaml").write_text(yaml.safe_dump(raw))
    found = signs(settings(cloud, tmp_path, releases=tmp_path / "releases"))
    assert "name another in the release" in found["Gemini: gemini-2.5-flash in us-central1"].words


def test_a_dead_address_names_its_setting(tmp_path: Path) -> None:
    found = signs(settings(Cloud(url="http://127.0.0.1:1"), tmp_path))
    assert "OPSPLANE_GOOGLE_ENDPOINT" in found[FLASH].words


def test_settings_that_need_a_project_say_so() -> None:
    (sign,) = signs(Settings(bigquery_dataset="d")).values()
    assert "OPSPLANE_GOOGLE_PROJECT is not set, and OPSPLANE_BIGQUERY_DATASET needs it" in sign.words


def test_a_bucket_of_documents_is_listed_at_its_address(cloud: Cloud, tmp_path: Path) -> None:
    sign = signs(settings(cloud, tmp_path, sources="gs://no-such-bucket"))["documents: gs://no-such-bucket"]
    assert sign.health is Health.ILL
    assert "OPSPLANE_SOURCES" in sign.words
    assert cloud.heard("storage")


def test_what_a_release_switches_on_is_asked_too(cloud: Cloud, tmp_path: Path) -> None:
    raw = yaml.safe_load((ROOT / "deploy/releases/heron-cloud.yaml").read_text())
    where = f"projects/{cloud.project}/locations/global"
    raw["retrieval"]["ranking"] = {"model": "semantic-ranker-default-004"}
    raw["guardrails"]["external"] = [
        {"name": "grounded", "kind": "check-grounding", "target": f"{where}/groundingConfigs/default_grounding_config"}
    ]
    raw["guardrails"]["external"][0]["reads"] = ["answer"]
    (tmp_path / "releases").mkdir()
    (tmp_path / "releases" / "heron-cloud.yaml").write_text(yaml.safe_dump(raw))
    chosen = settings(cloud, tmp_path, releases=tmp_path / "releases", index_store="vertex-collections")
    well = signs(chosen)
    assert {well[name].health for name in ("Vector Search", "Ranking", "check: grounded")} == {Health.WELL}
    cloud.faults.add(Kind.DENIED, "search")
    ill = signs(chosen)
    assert {ill[name].health for name in ("Ranking", "check: grounded")} == {Health.ILL}
    assert "retrieval.ranking" in ill["Ranking"].words
