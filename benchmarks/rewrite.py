"""A sentence written anew: to mean the same, or with one thing in it changed. None where the rule does not apply."""

import random
import re
from collections.abc import Callable, Sequence

from opsplane.guardrails import figures

_ALIKE = (
    "must/has to", "may/can", "receive/get", "receives/gets", "buy/purchase", "begins/starts", "began/started",
    "tells/informs", "need/require", "needs/requires", "help/assist", "shows/displays", "for example/for instance",
    "within/in no more than", "concerning/about", "asks for/requests", "sends/mails", "large/big", "movie/film",
    "located/situated", "provide/supply", "provides/supplies", "customers/clients", "customer/client", "shall/must",
    "monthly fee/fee per month", "obtain/get", "such as/like", "in addition/also", "at most/no more than",
    "at least/no less than", "immediately/at once", "usually/normally", "children/kids", "company/firm",
    "released/published", "many/numerous", "often/frequently", "choose/select", "chosen/selected",
    "calculates/works out", "describes/explains", "free of charge/without a fee", "is able to/can", "prior to/before",
    "if/in case", "unless/except if", "because/as", "happens/occurs", "however/though", "whole/entire", "rises/goes up",
)  # fmt: skip
_ONE_WAY = frozenset({"about", "as", "like", "can", "also", "get"})
"""Words of several meanings: they may replace another, and nothing replaces them."""
_SYNONYMS = {a: b for pair in _ALIKE for a, b in (pair.split("/"), pair.split("/")[::-1]) if a not in _ONE_WAY}
_SYNONYM = re.compile(r"\b(?:" + "|".join(sorted(map(re.escape, _SYNONYMS), key=len, reverse=True)) + r")\b")
_DROPPABLE = re.compile(r"\b(?:the|a|an|also|then|as well|usually|normally|generally|itself|still|already) ")
_AUXILIARY = re.compile(r"\b(is|are|was|were|may|can|will|must|does|do|has|have|should|could|shall|would)\b(?! not\b)")
_NEGATED = re.compile(r"(?<=\w) not\b(?! only)|n't\b|\bno (?=[a-z])|\bnever |\bnot (?=[a-z])")
_VERB = re.compile(
    r"(?<=[a-z,] )(pay|charge|need|require|include|apply|offer|cover|earn|cost|count|allow|accept|send|receive|"
    r"refund|return|hold|keep|provide|use|begin|end|give|report|reimburse|limit|change)s\b(?= [a-z$0-9])"
)
_OPPOSITE_WORDS = (
    "before/after", "at least/at most", "up to/at least", "more than/less than", "with/without", "always/never",
    "all/no", "earlier/later", "above/below", "or more/or less", "every/no", "first/last", "increase/decrease",
    "minimum/maximum", "only/also", "lowest/highest", "not later than/not earlier than", "free/chargeable",
    "required/optional", "during/outside", "until/from", "and/or", "both/either", "some/all", "may/must",
)  # fmt: skip
_OPPOSITES = {a: b for pair in _OPPOSITE_WORDS for a, b in (pair.split("/"), pair.split("/")[::-1])}
_CHANGEABLE = (
    "before after at_least at_most up_to more_than less_than without always never earlier later above below or_more "
    "or_less minimum maximum lowest highest not_later_than required optional only until some may must"
)
_CHANGE = re.compile(
    r"\b(?:" + "|".join(sorted((w.replace("_", " ") for w in _CHANGEABLE.split()), key=len, reverse=True)) + r")\b"
)
_CONDITION = (
    r"(?:only )?(?:if|unless|when|until|except|provided that|as long as|where|while|without|only for|for accounts|"
    r"in case|subject to|after|before|within|for the first|once|during|up to|at least|on condition)"
)
_TAIL = re.compile(rf",? {_CONDITION}\b [^.;]{{6,160}}(?=[.]\Z)")
_HEAD = re.compile(r"\A(?:If|When|Unless|Where|Except|Once|While|After|Before|During|Without) [^,.;]{6,140}, (?=\w)")
_MIDDLE = re.compile(
    rf", {_CONDITION}\b [^,.;]{{4,100}},|\bonly (?=\w)| \((?:if|unless|except|only|up to)[^()]{{4,80}}\)"
)
_PARENTHESIS = re.compile(
    r" \((?!(?:if|unless|except|only|up to|not)\b)[^()]{3,80}\)|, for example[^.;]{4,120}(?=\.\Z)"
)
_CONJUNCT = re.compile(r",? (?:and|but|so) (?:it|they|you|we|the|this|these|he|she) [^.;]{10,200}(?=\.\Z)")
_SEMICOLON = re.compile(r"; [^.;]{8,200}(?=\.\Z)")
_CLAUSE = re.compile(
    r"\A(?P<main>[A-Z][^,;.]{12,160}?) (?P<clause>(?:if|when|unless|until|because|once) (?!of )[^,;.]{8,120})\.\Z"
)
_FRONTED = re.compile(
    r"\A(?P<clause>(?:If|When|Unless|Until|Because|Once) (?!of )[^,;.]{8,120}), (?P<main>[^,;]{12,180})\.\Z"
)
_NAME = re.compile(r"(?<=[a-z,;] )[A-Z][a-z]{2,}(?: [A-Z][a-z]{2,}){0,3}\b")
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_MONTH = re.compile(r"\b(?:" + "|".join(_MONTHS) + r")\b")
_YEAR = re.compile(r"\b(?:19|20)[0-9]{2}\b")
_DAY = re.compile(r"\b((" + "|".join(_MONTHS) + r") )([0-9]{1,2})\b(?!,?\d)")
_CLOCK = re.compile(r"\b([0-9]{1,2})(:[0-9]{2})?( ?[ap]\.m\.)")
_WEEKDAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
_WEEKDAY = re.compile(r"\b(?:" + "|".join(_WEEKDAYS) + r")\b")
_SMALL = ["two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]
_SPAN_UNITS = ["days", "weeks", "months", "years", "hours", "minutes"]


def names(text: str) -> list[str]:
    """Capitalised words inside the sentences, months and weekdays aside."""
    found = _NAME.findall(text)
    return [name for name in found if not _MONTH.search(name) and not _WEEKDAY.search(name)]


def shorten(sentence: str, rng: random.Random) -> str | None:
    """An aside, an example or the second of two statements left out; never a condition."""
    for pattern in rng.sample((_PARENTHESIS, _CONJUNCT, _SEMICOLON), 3):
        short = pattern.sub("", sentence, count=1)
        if short != sentence and len(short.split()) >= 5:
            return short
    return None


def join(first: str, second: str, rng: random.Random) -> str | None:
    """Two sentences as one."""
    if first == second:
        return None
    head, link = first.rstrip(".!"), rng.choice([", and ", "; ", ", while ", ", and ", ". "])
    opening = second.split(" ", 1)[0]
    small = opening in {"The", "A", "An", "You", "If", "When", "It", "This", "These", "We", "Your", "They", "No", "In"}
    rest = second[0].lower() + second[1:] if small else second
    return head + link + (second if link == ". " else rest)


def reorder(sentence: str) -> str | None:
    """The condition put before or behind what it rules."""
    if match := _CLAUSE.match(sentence):
        clause, main = match["clause"], match["main"]
        return f"{clause[0].upper()}{clause[1:]}, {_lowered(main)}."
    if match := _FRONTED.match(sentence):
        clause, main = match["clause"], match["main"]
        return f"{main[0].upper()}{main[1:]} {clause[0].lower()}{clause[1:]}."
    return None


def reword(sentence: str, rng: random.Random) -> str | None:
    """Some words replaced by others of the same meaning, some small ones left out."""
    replaced = _SYNONYM.sub(lambda m: _SYNONYMS[m.group()] if rng.random() < 0.7 else m.group(), sentence)
    dropped = _DROPPABLE.sub(lambda m: "" if rng.random() < 0.3 else m.group(), replaced)
    return None if dropped == sentence else dropped


def reformat(sentence: str, rng: random.Random) -> str | None:
    """One figure written in another way."""
    ways: list[Callable[[], str]] = [
        lambda: re.sub(r"\$([0-9][0-9,]*(?:\.[0-9]+)?)\b(?! ?(?:million|billion|thousand))", r"\1 dollars", sentence),
        lambda: re.sub(r"\b([0-9.]+)%", r"\1 percent", sentence),
        lambda: re.sub(r"\b([0-9.]+) percent\b", r"\1%", sentence),
        lambda: re.sub(r"\b([0-9]+\.[1-9])0%", r"\1%", sentence),
        lambda: re.sub(r"\$([0-9]),([0-9]{3})\b(?!,)", r"$\1\2", sentence),
        lambda: re.sub(r"\$([0-9]{1,3})(?![\d,.])", r"$\1.00", sentence),
        lambda: _DAY.sub(r"\3 \2", sentence),
        lambda: re.sub(r"\b([2-9]|1[0-2])(?= (?:days?|months?|years?|times)\b)", _spelled, sentence),
        lambda: re.sub(rf"\b(?:{'|'.join(_SMALL)})(?= (?:days?|months?|years?|times|children)\b)", _counted, sentence),
    ]
    for way in rng.sample(ways, len(ways)):
        if (changed := way()) != sentence:
            return changed
    return None


def negate(sentence: str, rng: random.Random) -> str | None:
    """A negation taken out, or put behind the first auxiliary or before a verb."""
    if _NEGATED.search(sentence):
        bare = _NEGATED.sub(" ", sentence, count=1)
        bare = re.sub(r"\bca\b(?= )", "can", re.sub(r" {2,}", " ", bare)).strip()
        return bare[0].upper() + bare[1:] if len(bare) > 1 else None
    spots = [match for match in _AUXILIARY.finditer(sentence) if match.start() > 0]
    if spots:
        spot = spots[0] if rng.random() < 0.7 else rng.choice(spots)
        return f"{sentence[: spot.end()]} {rng.choice(['not', 'not', 'never'])}{sentence[spot.end() :]}"
    if match := _VERB.search(sentence):
        verb = match.group(1)
        return f"{sentence[: match.start()]}does not {verb}{sentence[match.end() :]}"
    return None


def change_condition(sentence: str, rng: random.Random) -> str | None:
    """A condition left out, or its bound turned round."""
    for pattern in rng.sample((_TAIL, _HEAD, _MIDDLE, _CHANGE), 4):
        if pattern is _CHANGE:
            changed = pattern.sub(lambda m: _OPPOSITES[m.group()], sentence, count=1)
        else:
            changed = pattern.sub("", sentence, count=1)
        if changed != sentence and len(changed.split()) >= 4:
            return changed[0].upper() + changed[1:]
    return None


def change_figure(sentence: str, section: str, rng: random.Random) -> str | None:
    """One figure that is no date raised, lowered, mistyped, given another unit or taken from another sentence."""
    found = [f for f in figures.required(sentence) if f.number is not None and "date" not in f.units]
    found = [f for f in found if re.search("[0-9]", f.text) and not re.search(re.escape(f.text) + "-[0-9]", sentence)]
    found = [f for f in found if not re.search("[0-9]-" + re.escape(f.text), sentence)]  # no parts of phone numbers
    if not found:
        return None
    figure = rng.choice(found)
    digits = re.search(r"[0-9][0-9,]*(?:\.[0-9]+)?", figure.text)
    if digits is None:
        return None
    others = [f.text for f in figures.read(section) if f.units == figure.units and f.value != figure.value]
    if others and rng.random() < 0.3:
        return sentence.replace(figure.text, rng.choice(others), 1)
    unit = figure.text.rsplit(" ", 1)[-1]
    if unit in _SPAN_UNITS and rng.random() < 0.25:
        return sentence.replace(figure.text, figure.text.replace(unit, rng.choice(sorted({*_SPAN_UNITS} - {unit}))), 1)
    changed = figure.text[: digits.start()] + _other_number(digits.group(), rng) + figure.text[digits.end() :]
    return sentence.replace(figure.text, changed, 1)


def change_date(sentence: str, rng: random.Random) -> str | None:
    """Month, day, year, weekday or hour moved."""
    ways: list[Callable[[], str]] = [
        lambda: _MONTH.sub(lambda m: rng.choice([x for x in _MONTHS if x != m.group()]), sentence, count=1),
        lambda: _YEAR.sub(lambda m: str(int(m.group()) + rng.choice([-10, -2, -1, 1, 2, 10])), sentence, count=1),
        lambda: _DAY.sub(lambda m: f"{m[1]}{(int(m[3]) + rng.randint(1, 26)) % 28 + 1}", sentence, count=1),
        lambda: _WEEKDAY.sub(lambda m: rng.choice([x for x in _WEEKDAYS if x != m.group()]), sentence, count=1),
        lambda: _CLOCK.sub(lambda m: f"{int(m.group(1)) % 12 + 1}{m.group(2) or ''}{m.group(3)}", sentence, count=1),
    ]
    for way in rng.sample(ways, len(ways)):
        if (changed := way()) != sentence:
            return changed
    return None


def change_name(sentence: str, section: str, known: Sequence[str], rng: random.Random) -> str | None:
    """A name of the sentence replaced by another that the section does not hold."""
    own = names(sentence)
    if not own:
        return None
    name = rng.choice(own)
    others = [other for other in known if other not in section and other.count(" ") == name.count(" ")]
    return sentence.replace(name, rng.choice(others), 1) if others else None


def _other_number(written: str, rng: random.Random) -> str:
    """Another number written in the same style."""
    value = float(written.replace(",", ""))
    places = len(written.partition(".")[2])
    for _ in range(8):
        factor = rng.choice([2, 0.5, 3, 10, 0.1, 1.2, 1.5, 0.8])
        step = 10**-places * rng.choice([1, 1, 2, 5, -1, -2])
        new = value * factor if rng.random() < 0.5 else value + step * (10 ** rng.randint(0, max(0, len(written) - 2)))
        text = f"{abs(new):,.{places}f}" if "," in written or new >= 10_000 else f"{abs(new):.{places}f}"
        if text != written and float(text.replace(",", "")) != value:
            return text
    return f"{value + 1:.{places}f}"


def _lowered(text: str) -> str:
    """The first letter small, where the first word is no name."""
    return (
        text
        if names(f"x, {text.split(' ', 1)[0]}") and text.split(" ")[0] not in _OPENERS
        else text[0].lower() + text[1:]
    )


_OPENERS = frozenset(
    [
        "The",
        "A",
        "An",
        "You",
        "We",
        "It",
        "This",
        "These",
        "They",
        "Your",
        "No",
        "In",
        "For",
        "On",
        "At",
        "Each",
        "Any",
        "All",
        "Some",
        "Most",
        "There",
    ]
)


def _spelled(match: re.Match[str]) -> str:
    return _SMALL[int(match.group()) - 2]


def _counted(match: re.Match[str]) -> str:
    return str(_SMALL.index(match.group()) + 2)
