import json
from pathlib import Path

import pytest

from assistant.cloud import Cloud
from assistant.settings import Settings
from opsplane.errors import InvalidRequest


def test_a_services_own_address_goes_before_the_one_for_all() -> None:
    cloud = Settings(google_endpoint="https://gateway.bank/", vector_endpoint="https://vectors.bank").cloud
    assert cloud.address("vector") == "https://vectors.bank"
    assert cloud.address("gemini") == "https://gateway.bank"
    assert Settings().cloud.address("gemini") == ""


def test_regions_are_asked_in_order_and_none_twice() -> None:
    cloud = Settings(google_location="europe-west4", google_other_locations=" us-central1, europe-west4,,").cloud
    assert cloud.locations == ("europe-west4", "us-central1")


def test_nobody_signs_in_at_an_address_elsewhere() -> None:
    Settings(google_credentials="none", google_endpoint="http://127.0.0.1:8090").cloud.check()
    with pytest.raises(InvalidRequest, match="none is for servers on this machine; OPSPLANE_GEMINI_ENDPOINT"):
        Settings(google_credentials="none").cloud.check()
    far = Settings(
        google_credentials="none", google_endpoint="http://127.0.0.1:8090", armor_endpoint="https://armor.bank"
    )
    with pytest.raises(InvalidRequest, match="OPSPLANE_ARMOR_ENDPOINT"):
        far.cloud.check()


def test_an_address_of_grpc_has_no_scheme() -> None:
    cloud = Settings(
        google_credentials="none", google_endpoint="http://localhost:8090", bigquery_write_endpoint="127.0.0.1:9060"
    ).cloud
    cloud.check()
    assert cloud.address("bigquery_write") == "127.0.0.1:9060"


@pytest.mark.parametrize(
    ("cloud", "message"),
    [
        (Cloud(location="Frankfurt"), "'Frankfurt' is no region"),
        (Cloud(others=("nowhere!",)), "'nowhere!' is no region"),
        (Cloud(credentials="missing.json"), "there is no file 'missing.json'"),
    ],
)
def test_what_cannot_be_right_is_named(cloud: Cloud, message: str) -> None:
    with pytest.raises(InvalidRequest, match=message):
        cloud.check()


def test_a_key_file_that_is_none_is_told(tmp_path: Path) -> None:
    file = tmp_path / "key.json"
    file.write_text(json.dumps({"type": "something else"}))
    with pytest.raises(InvalidRequest, match="OPSPLANE_GOOGLE_CREDENTIALS"):
        Cloud(credentials=str(file)).login()
