"""What a question must pass before anything is searched, from danger to life to the customer's own data."""

import re
from collections.abc import Iterable

from opsplane.finding import Action, Finding
from opsplane.guardrails import compliance, disguise, injection, language, pii, signals, wording
from opsplane.guardrails.injection import Signal
from opsplane.release import Release

_PERSON = (
    r"(?:wife|husband|spouse|partner|fianc[eé]e?|girlfriend|boyfriend|mother|mom|mum|father|dad|parents?|"
    r"son|daughter|"
    r"brother|sister|sibling|uncle|aunt|cousin|nephew|niece|grandmother|grandfather|grandma|grandpa|kid|child|friend|"
    r"neighbou?r|boss|manager|colleague|co-?worker|roommate|flatmate|ex|ex-wife|ex-husband|tenant|landlord|client|"
    r"employee|employer|assistant|in-law|buddy|rival|secretary|nanny)"
)
_SOMEBODY = (
    rf"(?:(?:my|his|her|their|our|the|a) (?:\w+ )?{_PERSON}|(?:another|other|some ?other|a different|the other|next|"
    r"previous|any|every|random) (?:customer|client|person|user|member|account ?holder)s?|(?:some(?:one|"
    r"body)|any(?:one|"
    r"body)|every(?:one|body))(?: else)?|(?:his|her) (?:wife|husband))"
)
_PRIVATE = (
    r"(?:balances?|transactions|statements?|account numbers?|card numbers?|(?:transaction |payment |"
    r"spending )?history|"
    r"pin|passwords?|social security number|ssn|salary|spending|savings balance|debts?|credit score|"
    r"account (?:balance|details|information|info|data)|personal (?:data|details|information)|address|phone number|"
    r"e-?mail(?: address)?|holdings|deposits|paycheck|finances)"
)
_ACCOUNT = r"(?:accounts?|checking|savings|cards?|loans?|mortgage|money|profile|data|info(?:rmation)?|details)"
_LOOK = (
    r"(?:show|tell|give|list|display|read|pull|see|view|check|look|access|find|get|what(?:'s|s| is| are|)|how much|"
    r"send me|let me|look up|open up|need|want|print|export|reveal|know|log ?in(?:to)?|peek|snoop|spy|monitor|track)"
)
_NOT_NAMES = (
    r"(?:what|who|where|when|how|it|that|this|there|here|let|he|she|today|yesterday|tomorrow|month|year|"
    r"week|day|night|"
    r"accounts?|cards?|loan|bank|company|business|period|cycle|statement|mortgage|checking|savings?|certificate|cd|"
    r"market|premier|student|everyday|wrenfield|visa|mastercard|amex|zelle|quicksend|paypal|venmo|google|apple|atm|"
    r"merchant|store|shop|quarter|morning|evening|everything|which|why|monday|tuesday|wednesday|thursday|friday|"
    r"saturday|sunday|january|february|march|april|may|june|july|august|september|october|november|"
    r"december|name|whats|"
    r"my|the|american|express|direct|debit|credit|virtual|high|yield|online|home|equity|auto|personal|"
    r"money|us|federal|"
    r"united|states|new|an|and|hi|hello|hey|please|can|could|does|do|did|is|are|was|i|if|in|on|from|to|"
    r"for|of|with|cash|"
    r"rewards|travel|mobile|advisors|citizens?|capital|wells|chase|citi|joint|both|combined|all|our|your|"
    r"his|her|their|"
    r"show|tell|give|list|check|get|find|see|view|display|read|pull|look|access|need|want|print|export|reveal|know|"
    r"customer|client|mr|mrs|ms|total|last|next|recent|after|before|since|regarding|about|sorry|thanks|ok|"
    r"okay|yes|no)"
)
_NAME = rf"(?!{_NOT_NAMES}\b)[^\W\d_][^\W\d_-]{{1,24}}"
_FULL_NAME = (
    rf"(?!{_NOT_NAMES}\b)(?-i:[A-Z][a-z]{{1,24}}(?:-[A-Z][a-z]{{1,24}})?)(?: (?-i:[A-Z])\.?)? "
    rf"(?!{_NOT_NAMES}\b)(?-i:[A-Z][a-z-]{{1,24}})"
)
_BELONGS = r"(?:of|belonging to|owned by|held by|under|named|registered to|in the name of)"
_CUSTOMERS = r"(?:customers?|clients?|account ?holders?|depositors?|users|members)"

_OTHER_CUSTOMER = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"\b{_SOMEBODY}(?:'s|s'|') (?:\w+ ){{0,3}}{_PRIVATE}\b",
        rf"\b{_LOOK}\b[^.?!]{{0,40}}\b{_SOMEBODY}(?:'s|s'|') (?:\w+ ){{0,2}}{_ACCOUNT}\b",
        rf"^\W*(?:(?:about|for|and|in|on|into) )?{_SOMEBODY}(?:'s|s'|') (?:\w+ ){{0,2}}{_ACCOUNT}\W*$",
        rf"\b(?:{_PRIVATE}|{_ACCOUNT}) (?:\w+ )?{_BELONGS} {_SOMEBODY}\b(?! (?:to|who|that|if|and i)\b)",
        rf"\b{_PRIVATE} for {_SOMEBODY}\b(?! (?:to|who|that|if|and i)\b)",
        rf"\b{_NAME}(?: {_NAME})?(?:'s|s') (?:(?!fee|transfer|page|site|app)\w+ ){{0,2}}"
        r"(?:balances?|transactions|account numbers?|card numbers?|pin|password|ssn|social security number|salary|"
        r"account (?:details|information|info|data|balance)|bank account|(?:checking|savings) account)\b"
        r"(?! (?:fee|transfer|policy|limit))",
        rf"\b{_FULL_NAME}(?:'s?|s') (?:\w+ ){{0,2}}(?:{_PRIVATE}|{_ACCOUNT})\b",
        rf"\b{_LOOK} (?:me |us )?(?:the )?{_FULL_NAME} (?:\w+ ){{0,2}}(?:{_PRIVATE}|{_ACCOUNT})\b",
        rf"\b(?:{_PRIVATE}|accounts?|cards?|loans?|customer|client) (?:{_BELONGS}|for) (?:the )?"
        rf"(?:customer |client |mrs?\.? |ms\.? )?{_FULL_NAME}",
        rf"\bhow much (?:money )?(?:does|did|has|is) (?:{_FULL_NAME}|{_SOMEBODY})\b[^.?!]{{0,30}}"
        r"\b(?:have|has|owe|own|hold|earn|make|save|saved|spend|spent|got|worth|deposit(?:ed)?)\b",
        rf"\b(?:does|did|has) {_FULL_NAME} (?:have|owe|own|hold|bank|pay|paid|get|receive)\b[^.?!]{{0,20}}(?! ?me\b)",
        r"\b(?:customer|client|user|member)(?: (?:id|number|no\.?|#))? ?#?:? ?(?:[A-Z]-?)?\d{3,}\b|\bC-\d{3,}\b",
        r"\b(?:show|list|give|tell|export|print|display|send|get|who are|names? of|details of|balances? of|see|share|"
        r"provide)\b[^.?!]{0,40}\b(?:all|every|other|your|the bank's|any|each|richest|top)\b[^.?!]{0,15}"
        rf"\b{_CUSTOMERS}\b(?! (?:service|support|care|agreement|pay|must|need|rights?))",
        r"(?<!\bmy )\b(?:account|card|loan)\b[^.?!]{0,40}\b(?:belongs? to|is (?:owned|held) by|is in the name of|"
        r"is registered to)\b(?! (?:me|myself|us)\b)",
        r"(?<!\bmy )\baccount\b(?: \w+){0,3} (?:that |which |and it )?(?:is not|isn't) mine\b",
        r"\b(?:whose|who owns?|who has|who holds)\b[^.?!]{0,15}\b(?:account|card)\b[^.?!]{0,20}\d{4}",
        r"\b(?:log|sign) (?:me )?in as\b|\b(?:switch|change) (?:me )?(?:over )?to (?:the )?"
        r"(?:account|profile|customer|user|session)s? (?:of|for|number|id|named|\d)",
        rf"\b(?:act|acting|continue|proceed) as (?:the )?(?:customer|user|account holder|{_FULL_NAME})\b|"
        rf"\bpretend (?:that )?(?:i am|i'm|to be) (?:{_FULL_NAME}|{_SOMEBODY}|customer)",
        r"\b(?:set|use|change) (?:the )?customer[_ ]?id\b|\bcustomer[_ ]id\s*[=:]",
        rf"\b(?:about|of|from|for) (?:another|other|some ?other) {_CUSTOMERS}\b|\b(?:another|other) {_CUSTOMERS}'",
        r"\b(?:show|tell|give|list|see|view|check|know|what(?:'s| is| are)|how much)\b[^.?!]{0,30}"
        rf"\b(?:his|her) (?:\w+ )?(?:{_PRIVATE}|checking|savings|accounts?)\b",
        r"\bhow much (?:money )?(?:does|did|has) (?:he|she)\b[^.?!]{0,20}\b(?:have|owe|earn|make|save|spend|got)\b",
        r"\bother people(?:'s (?:accounts?|balances?|money|spending|data)| have in\b)",
    )
)
_OWN_BUSINESS = re.compile(
    r"\b(?:transfer|send|sent|pay|paid|wire|wired|deposit|move|moved|put|give money|payment|zelle|"
    r"quicksend)\b[^.?!]{0,40}"
    r"\b(?:to|into|in|for|towards?)\b[^.?!]{0,25}(?:'s|s'|')|\bjoint(?:ly)?\b|\bauthori[sz]ed (?:user|signer)|"
    r"\b(?:add|adding|remove|open|opening|set up|create|name|make)\b[^.?!]{0,30}\b(?:my|"
    rf"a) (?:\w+ )?{_PERSON}\b(?! ?(?:'s|s') (?:{_PRIVATE}))|"
    r"\bpower of attorney\b|\b(?:died|passed away|deceased|death|late (?:husband|wife|father|mother)|"
    r"estate|inherit\w*|"
    r"beneficiar\w+|stolen|lost)\b|\bmy (?:own )?(?:balance|account)s? (?:and|to|for)\b[^.?!]{0,10}\bpay\b",
    re.IGNORECASE,
)


_GRAVEST = frozenset({"signal.self_harm", "abuse.threat"})
"""Signals that are met before anything else is looked at, the size of the message included."""


def screen(text: str, release: Release) -> list[Finding]:
    """What stands against answering `text`, and what is said before; the first DECLINE or REPLY decides.

    Every reading that disguise leaves is screened; each finding is there once. In this order: danger to life, size,
    injection, other people's data, language, crime and the release's rules, insults, other signals, own data.
    """
    rails = release.guardrails
    readings = disguise.revealed(text[: rails.max_characters])
    told = _once(finding for reading in readings for finding in signals.findings(reading, release))
    gravest = [finding for finding in told if finding.code in _GRAVEST]
    if len(text) > rails.max_characters:
        detail = f"{len(text):,} characters; at most {rails.max_characters:,} are read"
        return [*gravest, _finding("question.too_long", Action.DECLINE, "too_long", detail=detail)]
    if not any(char.isalnum() for reading in readings for char in reading):
        return [_finding("question.empty", Action.REPLY, "empty", detail="no letter or digit")]
    ruled = _once(finding for reading in readings for finding in compliance.findings(reading, "question", release))
    met = [finding for finding in told if finding.code not in _GRAVEST]
    return [
        *gravest,
        *_injection(text, rails.injection),
        *_once(finding for reading in readings for finding in _other_customer(reading)),
        *language.findings(text, release),
        *(finding for finding in met if finding.action is Action.DECLINE),
        *ruled,
        *(finding for finding in met if finding.action is not Action.DECLINE),
        *_personal(text),
    ]


def _once(findings: Iterable[Finding]) -> list[Finding]:
    """The first finding of each code, in order."""
    found: dict[str, Finding] = {}
    for finding in findings:
        found.setdefault(finding.code, finding)
    return list(found.values())


def _injection(text: str, threshold: float) -> list[Finding]:
    found = injection.signal(text)
    return [attack(found, threshold)] if found.score >= threshold else []


def attack(found: Signal, threshold: float) -> Finding:
    """A question that looks like an attack is declined."""
    return Finding(
        code=f"injection.{found.family}",
        action=Action.DECLINE,
        stage="question",
        span=pii.mask(found.span),
        detail="reads like an attempt to change or reveal the assistant's instructions",
        score=found.score,
        threshold=threshold,
        reply="injection",
    )


def _other_customer(text: str) -> list[Finding]:
    """Questions after somebody else's data. The tools could not reach it anyway; this says so at once."""
    for sentence in wording.sentences(text):
        readable = wording.plain(sentence)
        if _OWN_BUSINESS.search(readable):
            continue
        match = next((match for pattern in _OTHER_CUSTOMER if (match := pattern.search(readable))), None)
        if match:
            return [
                _finding(
                    "access.other_customer",
                    Action.DECLINE,
                    "other_customer",
                    span=pii.mask(match.group()),
                    detail="asks for the data of somebody else",
                )
            ]
    return []


def _personal(text: str) -> list[Finding]:
    return [
        _finding(
            f"pii.{span.type}",
            Action.NOTE,
            span=pii.stand_in(span, text),
            detail=f"the question holds a {pii.LABELS[span.type]}; it is masked on the record",
        )
        for span in pii.find(text)
    ]


def _finding(code: str, action: Action, reply: str = "", *, span: str = "", detail: str) -> Finding:
    return Finding(code=code, action=action, stage="question", span=span, detail=detail, reply=reply)
