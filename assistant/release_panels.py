"""Releases as Markdown and tables: what there is, what one holds, what two of them differ in."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict

from assistant.panels import Download, Panel, cut, moment, plain, table
from opsplane.catalogue import Registration
from opsplane.difference import Difference, FieldChange, Kind, RuleChange, Run, TextChange
from opsplane.pins import Problem, Severity
from opsplane.release import Guardrails, Lineage, Release
from opsplane.rollouts.rollout import Status
from opsplane.state import State

_CONTEXT = 60
"""Characters shown before and after a change."""
_LONGEST = 1_500
"""Characters of one change, or of one field's value, that are shown; the file has it whole."""
_JOINER = "\u2060"
"""Between the marks and what they mark: beside a comma Markdown would take the marks themselves for text."""


def releases(state: State) -> Panel:
    """Every registered release, newest first."""
    rows = []
    for digest, one in reversed(list(state.registered.items())):
        release_ = state.releases.get(digest)
        note = release_.note if release_ else "registered by another version of the product; cannot serve"
        model = release_.models.flash.name if release_ else ""
        mark = _fate(state, digest)
        rows.append((one.id, digest[:12], mark, moment(one.at), one.by.id, model, note))
    headings = ("Id", "Digest", "", "Registered (UTC)", "By", "Flash model", "Note")
    return Panel("### Releases\n\n" + table(headings, rows))


def _fate(state: State, digest: str) -> str:
    """What a release is now, or what became of it."""
    if digest == state.stable:
        return "stable"
    if state.rollout and digest in state.rollout.candidates:
        return f"candidate in {state.rollout.id}"
    tried = next((one for one in reversed(state.past) if digest in one.candidates), None)
    if tried is None or tried.status is Status.PROMOTED:
        return "served before" if state.served(digest) else ""
    if tried.status is Status.ABORTED:
        return f"aborted in {tried.id}"
    return f"{'won' if tried.winner == digest else 'archived by'} {tried.plan.kind.value} {tried.id}"


def release(one: Release, problems: Sequence[Problem] = (), reports: Sequence[str] = ()) -> Panel:
    """What a release contains, what speaks against its models, and which evaluations it has behind it."""
    replies = table(("Reply", "Words"), sorted(one.replies.items()))
    prompt = "\n".join(f"    {line}" for line in one.prompt.system.splitlines())
    parts = [
        f"### Release {plain(one.id)}",
        *_problems(problems),
        table(("Field", "Value"), _rows(one, reports)),
        "**System prompt**",
        prompt,
        "**Fixed replies**",
        replies,
    ]
    return Panel("\n\n".join(parts), exported(one))


def exported(one: Release) -> Download:
    """The release's very bytes, in a file named by their digest."""
    return Download(f"{one.id}-{one.digest[:12]}.json", "application/json", one.canonical())


def _rows(one: Release, reports: Sequence[str]) -> Iterator[tuple[str, str]]:
    rails = one.guardrails
    yield from [("Digest", one.digest), ("Author", one.author), ("Note", one.note)]
    yield ("Flash", _model(one.models.flash.name, one.models.flash.settings))
    yield ("Pro", _model(one.models.pro.name, one.models.pro.settings))
    optional = [
        ("Generation", _fields(one.generation.model_dump())),
        ("Safety", _fields(one.safety)),
        ("Tested with", ", ".join(one.tested_with)),
        ("Tuned", _lineage(one.lineage) if one.lineage else ""),
        ("Evaluations passed", "; ".join(reports)),
    ]
    yield from ((name, value) for name, value in optional if value)
    yield ("Routing", _fields(one.routing.model_dump()))
    yield ("Retrieval", _fields(one.retrieval.model_dump()))
    yield ("Style", _fields(one.style.model_dump()))
    yield (
        "Limits",
        f"{rails.max_characters} characters; thresholds: injection {rails.injection}, "
        f"scope {rails.scope}, grounding {rails.grounding}",
    )
    if further := ", ".join(_further(rails)):
        yield ("Further checks", further)
    yield ("Compliance packs", ", ".join(f"{pack.name} ({len(pack.rules)} rules)" for pack in rails.rules) or "none")
    yield ("Scope exemplars", rails.scope_exemplars.name if rails.scope_exemplars else rails.exemplars)
    yield ("Few-shot examples", str(len(one.prompt.examples)))
    yield ("Welcome", one.disclosures.welcome)


def _further(rails: Guardrails) -> Iterator[str]:
    """The checks that a release switches on."""
    thresholds = {"context": rails.context, "grounding model": rails.support, "toxicity": rails.toxicity}
    yield from (f"{name} {value}" for name, value in thresholds.items() if value is not None)
    yield from ["one repair"] if rails.repair else []
    yield from [f"answers in {', '.join(rails.languages)}"] if rails.languages else []
    yield from (f"{one.name} ({one.kind} {one.target}, on error {one.on_error})" for one in rails.external)


def _lineage(one: Lineage) -> str:
    how = _fields(one.hyperparameters)
    return (
        f"{one.method} on {one.base}, {one.trained.isoformat()}: {one.examples:,} examples, "
        f"SHA-256 {one.data_sha256}{f'; {how}' if how else ''}"
    )


def _model(name: str, settings: Mapping[str, object]) -> str:
    return f"{name} ({_fields(settings)})" if settings else name


def _fields(values: Mapping[str, object]) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items() if value not in ("", {}, ()))


def registered(one: Registration) -> Panel:
    """That a release is on the record, and how to look at it."""
    name = plain(one.release.short)
    told = (
        f"**{name}** is on the record and never changes from now on. Nobody is served by it yet."
        if one.new
        else f"**{name}** is registered already, with the very same bytes; nothing was written."
    )
    next_ = f"`/diff {one.release.id}` shows what it would change, `/release {one.release.id}` what it holds."
    return Panel(
        "\n\n".join(["### Release registered" if one.new else "### Release", told, *_problems(one.problems), next_])
    )


def _problems(problems: Iterable[Problem]) -> list[str]:
    """What speaks against the models; nothing where nothing does."""
    words = {
        Severity.REFUSE: "**It cannot become the stable release:**",
        Severity.WARN: "**Alert:**",
    }
    lines = [f"- {words[one.severity]} {plain(one.field)}: {plain(one.sentence)}" for one in problems]
    return ["\n".join(lines)] if lines else []


def difference(one: Difference) -> Panel:
    """What differs: ~~what went~~ and **what came**, field by field where it is no text."""
    title = f"### From {plain(one.before.short)} to {plain(one.after.short)}"
    if one.empty:
        return Panel(f"{title}\n\nNothing differs: it is the same release.")
    parts = [title]
    if one.texts:
        parts += ["~~What went~~ and **what came**, word by word:", *(_text(change) for change in one.texts)]
    if one.rules:
        parts += ["**Compliance rules**", "\n".join(_rule(change) for change in one.rules)]
    if one.fields:
        parts += ["**Fields**", table(("Field", "Before", "After"), (_field(change) for change in one.fields))]
    return Panel("\n\n".join(parts), _whole(one))


def _text(change: TextChange) -> str:
    name = f"**{plain(change.field)}**"
    if change.before.split() == change.after.split():
        return f"{name}: only spaces and line ends differ."
    return f"{name}: {marked(change.runs)}"


def marked(runs: Sequence[Run]) -> str:
    """Runs as Markdown on one line, with a little of what stayed around each change."""
    told = list(_visible(runs))
    line = ""
    for place, run in enumerate(told):
        part = _same(run.text, place, len(told)) if run.kind is Kind.SAME else _mark(run)
        line += f" {part}" if place and _apart(told[place - 1], run) else part
    return line


def _visible(runs: Sequence[Run]) -> Iterator[Run]:
    """Without changes of nothing but white space, which are one space to whoever reads."""
    same = ""
    for run in runs:
        if run.kind is Kind.SAME or not run.text.strip():
            same += run.text if run.kind is Kind.SAME else " "
            continue
        if same:
            yield Run(Kind.SAME, same)
        same = ""
        yield run
    if same:
        yield Run(Kind.SAME, same)


def _apart(before: Run, after: Run) -> bool:
    """Whether there is white space between two runs, or must be because both are marked."""
    marked_both = Kind.SAME not in (before.kind, after.kind)
    return marked_both or before.text[-1:].isspace() or after.text[:1].isspace()


def _same(text: str, place: int, count: int) -> str:
    """What stayed, cut to the words next to a change."""
    flat = " ".join(text.split())
    first, last = place == 0, place == count - 1
    if len(flat) <= _CONTEXT * (1 if first or last else 2):
        return plain(flat)
    before = "" if first else plain(flat[:_CONTEXT].rpartition(" ")[0])
    after = "" if last else plain(flat[-_CONTEXT:].partition(" ")[2])
    return f"{before} … {after}".strip()


def _mark(run: Run) -> str:
    mark = "~~" if run.kind is Kind.REMOVED else "**"
    text = plain(cut(" ".join(run.text.split()), _LONGEST))
    before, after = ("" if side.isalnum() else _JOINER for side in (text[0], text[-1]))
    return f"{mark}{before}{text}{after}{mark}"


def _rule(change: RuleChange) -> str:
    fields = "; ".join(f"{name}: {before} → {after}" for name, before, after in map(_field, change.fields))
    return f"- {plain(change.rule)} ({plain(change.pack)}) {change.kind.value}{': ' if fields else ''}{plain(fields)}"


def _field(change: FieldChange) -> tuple[str, str, str]:
    before, after = ("—" if value is None else cut(value, _LONGEST) for value in (change.before, change.after))
    return change.field, before, after


def _whole(one: Difference) -> Download:
    """The difference as JSON, with nothing cut."""
    told = {
        "before": one.before.short,
        "after": one.after.short,
        "texts": [asdict(change) for change in one.texts],
        "rules": [asdict(change) for change in one.rules],
        "fields": [asdict(change) for change in one.fields],
    }
    content = json.dumps(told, indent=2, ensure_ascii=False).encode()
    return Download(f"{one.before.id}-{one.after.id}.json", "application/json", content)
