"""The server, Chromium and visitors of the browser tests."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event
from time import monotonic
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, expect, sync_playwright

from assistant.bootstrap import record
from assistant.settings import Settings
from tests import library
from tests.browser.server import CLOUD, Server, local_cloud, on_cloud
from tests.browser.visitor import Visitor

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE = 15_000  # milliseconds for one expectation

Profiles = dict[str, BrowserContext]
Visit = Callable[..., Visitor]
Events = Callable[..., list[dict[str, Any]]]


@pytest.fixture(scope="session")
def production() -> Iterator[dict[str, str]]:
    """The environment of every server: empty, or with OPSPLANE_TEST_CONFIG=local-cloud the production configuration.

    Then OPSPLANE_INDEX_STORE may be set, too: the documents are ingested into the cloud by the server itself.
    """
    if not CLOUD:
        yield {}
        return
    with local_cloud() as url:
        yield on_cloud(url)


@pytest.fixture(scope="session")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with the documents ingested."""
    data = tmp_path_factory.mktemp("bank")
    library.stock(data)
    return data


@pytest.fixture(scope="session")
def server(bank: Path, production: dict[str, str]) -> Iterator[Server]:
    """One server for the whole session."""
    running = Server(bank, production).start()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium; one per module, since the event loop it needs keeps other tests from theirs."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        pytest.skip("CHROMIUM IS NOT INSTALLED: the browser tests did not run (apt-get install chromium)")
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=found, args=FLAGS)
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def profiles(browser: Browser) -> Iterator[Profiles]:
    """Browser profiles by person and device, so that scripts are loaded and people sign in once for each."""
    opened: Profiles = {}
    yield opened
    for context in opened.values():
        context.close()


@pytest.fixture
def visit(browser: Browser, server: Server, profiles: Profiles) -> Iterator[Visit]:
    """Opens a tab for a person on a device; without a name a profile of its own, signed out."""
    tabs: list[Visitor] = []

    def open_tab(name: str = "", *, alone: bool = False, **device: Any) -> Visitor:
        key = f"{name} {len(profiles) if alone or not name else ''} {device}"
        known = key in profiles
        if not known:
            profiles[key] = browser.new_context(**device)
            profiles[key].set_default_timeout(PATIENCE)
        visitor = Visitor(profiles[key], server.url)
        tabs.append(visitor)
        if name:
            visitor.come_in() if known else visitor.sign_in(name)
        return visitor

    yield open_tab
    for visitor in tabs:
        visitor.page.close()


@pytest.fixture
def server_events(server: Server) -> Events:
    """Reads events of a kind from the server's record, waiting a while for one that fits."""

    def read(kind: str, fits: Callable[[dict[str, Any]], bool] = lambda _: True) -> list[dict[str, Any]]:
        until, pause = monotonic() + PATIENCE / 1000, Event()
        with record(Settings(data=server.data)) as (ledger, _):
            while monotonic() < until:
                events = (entry.event.model_dump(mode="json") for entry in ledger.events([kind]))
                if found := [event for event in events if fits(event)]:
                    return found
                pause.wait(0.02)
        raise AssertionError(f"no {kind} that fits is on the record")

    return read
