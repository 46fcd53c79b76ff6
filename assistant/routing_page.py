"""The frontier of routing for people: one HTML page that needs nothing else, no font, no network, no script."""

from collections.abc import Iterator

from assistant import markup, routing_figure, routing_report
from assistant.markup import text
from assistant.report_style import STYLE
from assistant.routing_report import FREE, HEADINGS, Told
from opsplane import routing

POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
"""What the page may do: its own style, and nothing from anywhere."""
_KINDS = {
    "flash": "one tier",
    "pro": "one tier",
    "present": "as it is",
    "held out": "unseen questions",
    "recommended": "★ recommended",
    "optimal": "frontier",
}


def as_html(told: Told) -> str:
    """The whole page; every text in it is shown as text."""
    found = told.frontier
    sections = {
        "recommended": ("Recommended", _recommended(told)),
        "frontier": ("Quality and cost", routing_figure.as_svg(found, told.measured.words) + _table(told)),
        "policy": ("The policy as it is", _policy(told)),
        "origin": ("Where this comes from", markup.facts(_origins(told)) + _method(told)),
    }
    body = "".join(
        f'<section aria-labelledby="{name}">\n<h2 id="{name}">{heading}</h2>\n{inside}</section>\n'
        for name, (heading, inside) in sections.items()
    )
    title = f"Flash or Pro: {text(told.release)} on {text(told.dataset)}"
    head = "".join(f"<p>{text(one)}</p>\n" for one in routing_report.told_of(told) if one != FREE)
    free = f'<p class="result open">{text(FREE)}</p>\n' if found.free else ""
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<title>{title}</title>\n'
        f"<style>{STYLE}{routing_figure.STYLE}</style>\n</head>\n<body>\n<header>\n<h1>{title}</h1>\n{free}{head}"
        f"</header>\n<main>\n{body}</main>\n</body>\n</html>\n"
    )


def _recommended(told: Told) -> str:
    look = "good" if told.frontier.chosen else "open"
    said = f'<p class="result {look}">{text(routing_report.advice(told))}</p>\n'
    fragment = routing_report.fragment(told)
    return said + (f'<pre class="text from"><code>{text(fragment)}</code></pre>\n' if fragment else "")


def _table(told: Told) -> str:
    """The settings that are told of; a cost that is nothing for all has no column."""
    rows = (
        (name, _KINDS[kind], *map(_unbroken, rest))
        for kind, one in told.points
        for name, *rest in [routing_report.row(text(one.name), one, told)]
        if told.frontier.cases
    )
    first, *others = routing_report.shown(HEADINGS, told)
    return markup.table("Settings", (first, "Is", *others), rows)


def _unbroken(cell: str) -> str:
    """Figures that stay on one line, but for an interval in brackets, which may stand on the next."""
    return text(cell.replace(" ", "\u00a0").replace("\u00a0(", " ("))


def _policy(told: Told) -> str:
    policy = told.frontier.present.policy
    lines = routing.policy_in_words(policy) if policy else []
    return '<ul class="said">\n' + "".join(f"<li>{text(line)}</li>\n" for line in lines) + "</ul>\n"


def _origins(told: Told) -> Iterator[tuple[str, str]]:
    yield "Release", f"{text(told.release)} <code>{text(told.digest)}</code>"
    yield "Flash", text(told.flash)
    yield "Pro", text(told.pro)
    yield "Dataset", f"{text(told.dataset)} <code>{text(told.dataset_digest)}</code>"
    yield "Quality", text(told.measured.words)
    yield "Judge", text(told.measured.judge)


def _method(told: Told) -> str:
    beside = "share on Pro" if told.frontier.free else "cost"
    return (
        "<p>Every case was answered once with each tier’s model through the governed turn. A setting chooses between "
        "the two answers by what routing knew: words, passages, topic, conversation. Where nothing of Flash’s answer "
        "stood up an escalating setting takes Pro’s and pays for both. Intervals are 95 % percentile bootstraps over "
        f"cases, of differences paired by case. A setting is on the frontier where no other has the same {beside} with "
        "more quality, or the same quality with less. The recommendation was chosen on these very cases, so it looks a "
        "little better than it is: “chosen on other questions” is the same way of choosing on four fifths of them, "
        "measured on the fifth left out, five times over. Costs are of the answers alone, and of a conversation its "
        "last question alone.</p>\n"
    )
