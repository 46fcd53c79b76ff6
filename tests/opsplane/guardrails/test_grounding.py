import pytest

from opsplane.evidence import Evidence
from opsplane.guardrails import grounding
from opsplane.release import Release
from tests import fakes

FEES = (
    "The overdraft fee is $15 for each item that Wrenfield pays into overdraft, and Wrenfield charges at most 3 "
    "overdraft fees a day. No overdraft fee is charged when the account is overdrawn by $20 or less at the end of the "
    "day, or when you cover the overdraft by 11:59 p.m. on the next business day (NextDay Grace). The returned item "
    "(NSF) fee is $0. Call 1-800-555-0142 or see wrenfield.example/fees."
)


def codes(text: str, release: Release, source: str = FEES) -> list[str]:
    return [finding.code for finding in grounding.findings(text, [fakes.passage(text=source)], release)]


@pytest.mark.parametrize(
    "text",
    [
        "The overdraft fee is $15 for each item that Wrenfield pays into overdraft, and Wrenfield charges at most 3 "
        "overdraft fees a day.",
        "Wrenfield charges $15.00 per overdraft item, up to three overdraft fees a day.",
        "You pay no overdraft fee if you are overdrawn by $20 or less at the end of the day.",
        "Effective July 1, 2026, the overdraft fee is $15 per item.",
        "Three overdraft fees of $15 add up to $45 a day.",
        "You can call 1-800-555-0142 or see https://wrenfield.example/fees.",
    ],
)
def test_supported_sentences_pass(text: str, release: Release) -> None:
    assert codes(text, release) == []


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("The overdraft fee is $29 per item.", "grounding.figure"),
        ("The overdraft fee is 15% per item.", "grounding.figure"),
        ("Wrenfield charges at most 4 overdraft fees a day.", "grounding.figure"),
        ("The returned item (NSF) fee is $15.", "grounding.figure"),
        ("Effective July 1, 2025, the overdraft fee is $15 per item.", "grounding.figure"),
        ("An overdraft fee is charged when overdrawn by $20 or less at the end of the day.", "grounding.negation"),
        ("The overdraft fee of $15 is paid to Globex for each item.", "grounding.name"),
        ("Penguins live in cold places near the southern pole.", "grounding.support"),
        ("Call 1-800-555-9999 about an overdraft fee.", "grounding.contact"),
        ("See https://elsewhere.example/fees about an overdraft fee.", "grounding.contact"),
        ("Write to fees@wrenfield.example about an overdraft fee.", "grounding.contact"),
    ],
)
def test_what_the_source_does_not_bear_out_is_found(text: str, code: str, release: Release) -> None:
    assert code in codes(text, release)


def test_a_denial_of_what_the_source_states_is_found(release: Release) -> None:
    source = "Wrenfield sends a statement every month by mail."
    assert codes("Wrenfield does not send a statement every month by mail.", release, source) == ["grounding.negation"]


def test_a_sentence_without_a_source_is_not_shown(release: Release) -> None:
    assert [finding.code for finding in grounding.findings("The fee is $15.", [], release)] == ["grounding.uncited"]


def test_support_comes_with_its_score_and_the_releases_threshold(release: Release) -> None:
    finding = grounding.findings("Penguins live near the pole.", [fakes.passage(text=FEES)], release)[-1]
    assert (finding.score, finding.threshold) == (0.0, release.guardrails.grounding)


def test_the_beginning_of_a_sentence_may_not_be_cut_off(release: Release) -> None:
    source = "Wrenfield does not promise that the loan is approved within 3 days."
    assert codes("Wrenfield does promise that the loan is approved within 3 days.", release, source) != []


def test_figures_of_a_table_are_read_with_its_head(release: Release) -> None:
    table = "| Term (months) | Minimum | APY |\n|---|---|---|\n| 6 | $1,000 | 3.75% |\n| 12 | $1,000 | 4.00% |"
    assert codes("The 12-month term has an APY of 4.00% and a minimum of $1,000.", release, table) == []


def test_each_figure_may_stand_in_another_cited_source(release: Release) -> None:
    sources: list[Evidence] = [
        fakes.passage(1, "An outgoing wire costs $25 online."),
        fakes.passage(2, "An outgoing wire costs $30 in a branch."),
    ]
    text = "An outgoing wire costs $25 online and $30 in a branch."
    assert grounding.findings(text, sources, release) == []
    assert [finding.code for finding in grounding.findings(text, sources[:1], release)] == ["grounding.figure"]


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("Wires are free.", "Wires are free for Premier customers."),
        ("You will get the money back.", "If you report within 60 days, you will get the money back."),
        ("You will get the money back if you report within 90 days.", "If you report within 60 days, you will get it."),
        ("Cards are replaced at no cost.", "Cards are replaced at no cost once every 12 months."),
        ("You may withdraw the whole balance.", "You may withdraw the whole balance unless it is on hold."),
    ],
)
def test_a_rule_may_not_lose_its_condition(text: str, source: str, release: Release) -> None:
    assert codes(text, release, source) != []


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("For Premier customers, wires are free.", "Wires are free for Premier customers."),
        ("Report within 60 days to get your money back.", "If you report within 60 days, you will get the money back."),
        ("Wires are free.", "Wires are free for Premier customers. Since July 1, 2026, wires are free."),
        ("No fee is charged when you keep $300.", "No fee is charged when you are under 18, or when you keep $300."),
        ("Wires may be free.", "Wires may be free."),
    ],
)
def test_a_condition_that_is_kept_passes(text: str, source: str, release: Release) -> None:
    assert codes(text, release, source) == []


def score(text: str, release: Release) -> float:
    return grounding.score(text, [fakes.passage(text=FEES)], release)


def test_the_score_is_one_for_a_copy_and_falls_with_what_speaks_against_it(release: Release) -> None:
    copied = score("The returned item (NSF) fee is $0.", release)
    reworded = score("You pay no overdraft fee if you are overdrawn by $20 or less at the end of the day.", release)
    wrong = score("You pay an overdraft fee if you are overdrawn by $20 or less at the end of the day.", release)
    assert copied == 1.0 > reworded > grounding.THRESHOLD > wrong
    assert grounding.score("The fee is $15.", [], release) == 0.0


def test_a_conflict_comes_with_its_score(release: Release) -> None:
    finding = grounding.findings("The overdraft fee is $29 per item.", [fakes.passage(text=FEES)], release)[0]
    assert (finding.score or 0) < grounding.THRESHOLD == finding.threshold


@pytest.mark.parametrize("text", ["not " * 25_000, "$1 plus " * 12_000, "fees; " * 16_000, "if you " * 14_000])
def test_a_text_without_end_is_refused_at_once(text: str, release: Release) -> None:
    assert "grounding.support" in codes(text, release)
    assert codes("The fee is not $6.", release, text) != []
