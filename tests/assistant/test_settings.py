"""The environment is read once, and what it gets wrong is named."""

from pathlib import Path

import pytest

from assistant import settings
from assistant.settings import Settings
from opsplane.errors import InvalidRequest


def test_without_an_environment_the_defaults_hold() -> None:
    assert settings.from_environment({}) == Settings()


def test_every_setting_has_a_variable() -> None:
    chosen = settings.from_environment(
        {"OPSPLANE_DATA": "elsewhere", "OPSPLANE_PORT": "9000", "OPSPLANE_DEMO": "yes", "OPSPLANE_RELEASE": "other"}
    )
    assert (chosen.data, chosen.port, chosen.demo, chosen.release) == (Path("elsewhere"), 9000, True, "other")


def test_what_is_typed_wins_over_the_environment_and_none_does_not() -> None:
    chosen = settings.from_environment({"OPSPLANE_PORT": "9000"}, port=None, data=Path("typed"))
    assert (chosen.port, chosen.data) == (9000, Path("typed"))


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("OPSPLANE_PORT", "eighty", "'eighty' is not a whole number"),
        ("OPSPLANE_PORT", "70000", "not a whole number"),
        ("OPSPLANE_DEMO", "maybe", "neither 1 nor 0"),
        ("OPSPLANE_TIMEZONE", "Mars/Olympus", "not a time zone"),
    ],
)
def test_a_value_that_cannot_be_read_is_named(variable: str, value: str, message: str) -> None:
    with pytest.raises(InvalidRequest, match=f"{variable}.*{message}"):
        settings.from_environment({variable: value})


def test_databases_lie_under_the_data_folder_unless_named() -> None:
    chosen = Settings(data=Path("d"), record_url="postgresql://localhost/record")
    assert chosen.database("chat") == "sqlite:///d/chat.db"
    assert chosen.database("record") == "postgresql://localhost/record"
