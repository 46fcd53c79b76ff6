"""How it looks: both modes, a phone's width, and nothing fetched from elsewhere."""

import os
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit
from tests.browser.visitor import Visitor

pytestmark = pytest.mark.browser

QUESTION = "What does an overdraft cost, and when is there no fee?"
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True, "device_scale_factor": 2}
DESK = {"viewport": {"width": 1280, "height": 800}}


def picture(page: Page, name: str) -> None:
    """A screenshot where OPSPLANE_SCREENSHOTS names a folder; compared by eye, not by pixel."""
    if folder := os.environ.get("OPSPLANE_SCREENSHOTS"):
        page.mouse.move(180, 30)  # away from everything that shows a hint
        page.screenshot(path=Path(folder) / f"{name}.png", animations="disabled")


def contrast(page: Page, text: str, ground: str) -> float:
    """The contrast ratio of two theme colours, by the formula of WCAG 2.2, 1.4.3."""
    read = "name => getComputedStyle(document.documentElement).getPropertyValue(name)"
    light, dark = sorted((_luminance(page.evaluate(read, name)) for name in (text, ground)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(hsl: str) -> float:
    hue, saturation, lightness = (float(part) for part in re.findall(r"[\d.]+", hsl))
    amplitude = saturation / 100 * min(lightness / 100, 1 - lightness / 100)
    weights = ((0.2126, 0), (0.7152, 8), (0.0722, 4))
    return sum(weight * _linear(_channel(hue, amplitude, lightness / 100, shift)) for weight, shift in weights)


def _channel(hue: float, amplitude: float, lightness: float, shift: int) -> float:
    turn = (shift + hue / 30) % 12
    return lightness - amplitude * max(-1, min(turn - 3, 9 - turn, 1))


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.03928 else ((channel + 0.055) / 1.055) ** 2.4


def _ask_and_open(visitor: Visitor) -> None:
    visitor.ask(QUESTION).locator("a.element-link").first.click()
    expect(visitor.panel.locator("h3")).to_be_visible()


def _in_the_dark(visitor: Visitor) -> Visitor:
    visitor.page.evaluate("localStorage.setItem('vite-ui-theme', 'dark')")
    return visitor.come_in()


def test_an_answer_beside_its_passage(visit: Visit) -> None:
    visitor = visit("customer", **DESK)
    _ask_and_open(visitor)
    picture(visitor.page, "chat")


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_colours_can_be_read(visit: Visit, mode: str) -> None:
    visitor = visit("customer", alone=True, **DESK)
    if mode == "dark":
        _in_the_dark(visitor)
        _ask_and_open(visitor)
        picture(visitor.page, "dark")
    for text, ground in (
        ("--foreground", "--background"),
        ("--muted-foreground", "--background"),
        ("--muted-foreground", "--card"),
        ("--muted-foreground", "--muted"),
        ("--card-foreground", "--card"),
        ("--accent-foreground", "--accent"),
        ("--primary-foreground", "--primary"),
        ("--primary", "--muted"),
        ("--primary", "--background"),
        ("--destructive", "--background"),
    ):
        assert contrast(visitor.page, text, ground) >= 4.5, f"{text} on {ground}"


def test_a_phone_shows_everything_within_its_width(visit: Visit) -> None:
    visitor = visit("customer", **PHONE)
    visitor.ask(QUESTION)
    picture(visitor.page, "phone")
    assert visitor.page.evaluate("document.documentElement.scrollWidth") <= 390
    visitor.page.locator("a.element-link").first.tap()
    expect(visitor.panel.locator("h3")).to_be_visible()
    picture(visitor.page, "phone-passage")


def test_the_sign_in_page_fits_a_phone(visit: Visit) -> None:
    visitor = visit(**PHONE)
    visitor.page.goto(f"{visitor.url}/login")
    expect(visitor.page.locator("#demo-people")).to_be_visible()
    picture(visitor.page, "sign-in")
    assert visitor.page.evaluate("document.documentElement.scrollWidth") <= 390


def test_the_audit_table_scrolls_in_itself(visit: Visit) -> None:
    visit("customer").ask(QUESTION)
    visitor = visit("reviewer", **DESK)
    table = visitor.ask("/audit customer=C-1001 reason=complaint-4711").locator("table")
    expect(table).to_be_visible()
    table.evaluate("table => table.closest('.step').scrollIntoView({block: 'start'})")
    picture(visitor.page, "audit")
    assert visitor.page.evaluate("document.documentElement.scrollWidth") <= 1280


def test_nothing_is_fetched_from_elsewhere_and_the_policy_holds(visit: Visit) -> None:
    visitor = visit("customer")
    _ask_and_open(visitor)
    assert [url for url in visitor.requests if not url.startswith(visitor.url)] == []
    assert [text for text in visitor.complaints if "Content Security Policy" in text] == []
