"""The product put together over the sample corpus, once for all tests that want it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from assistant import bootstrap
from assistant.bootstrap import App
from assistant.settings import Settings
from tests import fakes

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The sample corpus's index is kept between runs; record, people and accounts are new each time."""
    folder = tmp_path_factory.mktemp("databases")
    urls = {f"{name}_url": f"sqlite:///{folder / name}.db" for name in ("record", "chat", "bank")}
    return Settings(data=ROOT / ".data" / "tests", demo=True, **urls)  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def app(settings: Settings) -> Iterator[App]:
    """The whole product on 23 November 2026."""
    with bootstrap.build(settings, lambda *_: None, fakes.Clock(), refresh=True) as built:
        yield built
