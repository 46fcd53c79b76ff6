import socket
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from threading import Event

import pytest

from assistant import doctor, doctor_local
from assistant.doctor import Doubt, Health, Probe, Sign
from assistant.settings import Settings
from opsplane.errors import InvalidRequest
from tests import fakes


def signs(settings: Settings, *names: str) -> dict[str, Sign]:
    probes = [one for one in doctor_local.probes(settings, fakes.Clock()) if not names or one.name in names]
    return {sign.name: sign for sign in doctor.examine(probes)}


def raising(error: Exception) -> str:
    raise error


def test_a_new_folder_is_well_and_nothing_is_made_in_it(tmp_path: Path) -> None:
    found = signs(Settings(data=tmp_path / "new"), "data folder", "database: record", "keys", "index", "release")
    assert {sign.health for sign in found.values()} == {Health.WELL}
    assert "made at the first start" in found["keys"].words
    assert not (tmp_path / "new").exists()


def test_an_error_is_ill_and_its_first_words_are_told_in_one_line() -> None:
    probes = [
        Probe("refused", lambda: raising(InvalidRequest("Set OPSPLANE_X\n to Y."))),
        Probe("broken", lambda: raising(KeyError("x"))),
        Probe("doubtful", lambda: raising(Doubt("old"))),
        Probe("well", lambda: "fine"),
    ]
    found = list(doctor.examine(probes))
    assert [(one.health, one.words) for one in found] == [
        (Health.ILL, "Set OPSPLANE_X to Y."),
        (Health.ILL, "KeyError: 'x'"),
        (Health.DOUBTFUL, "old"),
        (Health.WELL, "fine"),
    ]
    assert doctor.worst(found) is Health.ILL
    assert doctor.worst(found[2:]) is Health.DOUBTFUL


def test_what_never_answers_is_left_behind() -> None:
    never = Event()
    (found,) = doctor.examine([Probe("hangs", lambda: str(never.wait()))], seconds=0.05)
    assert (found.health, found.words) == (Health.ILL, "no answer within 0.05 seconds")
    never.set()


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    found = signs(Settings(data=tmp_path / "file" / "data"), "data folder")
    assert "OPSPLANE_DATA" in found["data folder"].words


def test_a_release_that_is_not_there_is_told_with_those_that_are(tmp_path: Path) -> None:
    found = signs(Settings(data=tmp_path, release="heron-99"), "release", "files")
    assert "there is no release 'heron-99'; there are heron-6" in found["release"].words
    assert found["files"].health is Health.WELL


def test_a_bank_that_cannot_be_loaded(tmp_path: Path) -> None:
    found = signs(Settings(data=tmp_path, bank="nowhere:Bank.open"), "accounts")
    assert "OPSPLANE_BANK" in found["accounts"].words


def test_postgresql_tells_its_version_and_its_clock(tmp_path: Path, postgres: str) -> None:
    at = fakes.Clock()
    found = signs(Settings(data=tmp_path, record_url=postgres), "database: record, keys")
    assert "its clock is" in found["database: record, keys"].words  # the fake clock stands in the past
    assert found["database: record, keys"].health is Health.DOUBTFUL
    assert doctor_local.skew(at.at, at.at + timedelta(seconds=2)) == "2.0 s behind"


def test_a_database_that_cannot_be_reached(tmp_path: Path) -> None:
    found = signs(Settings(data=tmp_path, record_url="postgresql://127.0.0.1:1/record"), "database: record, keys")
    assert found["database: record, keys"].health is Health.ILL


@pytest.fixture
def listener() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_addresses_are_reached_without_a_word_being_sent(tmp_path: Path, listener: int) -> None:
    settings = Settings(
        data=tmp_path, alert_url=f"http://127.0.0.1:{listener}/hook", otlp_endpoint="http://127.0.0.1:1"
    )
    found = signs(settings, "alerts: web hook", "OpenTelemetry collector")
    assert found["alerts: web hook"].words == f"127.0.0.1:{listener} listens"
    assert "127.0.0.1:1 cannot be reached: Connection refused" in found["OpenTelemetry collector"].words


@pytest.mark.parametrize("url", ["http://", "smtp://host:99999", "::"])
def test_what_is_no_address_is_said_to_be_none(url: str) -> None:
    with pytest.raises(InvalidRequest, match="no address"):
        doctor_local.reach(url)
