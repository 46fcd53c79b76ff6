"""Log lines: as text, or one JSON object a line as Cloud Logging reads it. No personal data, no control characters.

A line that is written during a turn names its trace, and through it the exchange; the line in which a turn ends names
both. What was asked and answered is on the record and in no log.
"""

import json
import logging
import re
from collections.abc import Callable
from datetime import UTC, datetime

from opentelemetry import trace

from opsplane.errors import InvalidRequest
from opsplane.guardrails import pii

LONGEST = 4_000
"""Characters of a message; what is longer is cut."""
LONGEST_TRACEBACK = 16_000
"""Characters of a traceback; its end is kept, where the cause is told."""
FIELDS = ("exchange", "outcome")
"""What a line may tell beside its message, by `extra`."""

_BEYOND = 200  # read beyond the cut, so that a number that stands across it is masked as a whole
_ID = re.compile(r"(\b[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\b)")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")
_LINES = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")


def set_up(level: str, form: str, project: str = "") -> None:
    """Send every logger's lines to standard error, in the form `text` or `json`; once per process.

    Raises `InvalidRequest`, naming the setting.
    """
    if level.upper() not in logging.getLevelNamesMapping():
        raise InvalidRequest(f"OPSPLANE_LOG_LEVEL: {level!r} is no level such as WARNING or INFO")
    if form not in _FORMS:
        raise InvalidRequest(f"OPSPLANE_LOG_FORMAT: {form!r} is neither text nor json")
    handler = logging.StreamHandler()
    handler.setFormatter(_FORMS[form](project))
    logging.basicConfig(level=level.upper(), handlers=[handler])
    logging.captureWarnings(form == "json")


class Text(logging.Formatter):
    """A line for people. Only a traceback takes more than one."""

    def __init__(self, _: str = "") -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        line = f"{self.formatTime(record)} {record.levelname} {record.name}: {_message(record)}"
        told = _traceback(record)
        return f"{line}\n{_LINES.sub(_escaped, told)}" if told else line


class Json(logging.Formatter):
    """An object a line, in the fields that Cloud Logging knows; `project` is where traces are kept."""

    def __init__(self, project: str = "") -> None:
        super().__init__()
        self._project = project

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        told: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="microseconds"),
            "severity": _severity(record.levelno),
            "message": _message(record),
            "logger": record.name,
        }
        told |= {name: _clean(str(vars(record)[name]), LONGEST) for name in FIELDS if name in vars(record)}
        if traceback := _traceback(record):
            told["exception"] = traceback
        return json.dumps(told | self._trace())  # ASCII alone: no terminal acts on it, and no line ends early

    def _trace(self) -> dict[str, object]:
        span = trace.get_current_span().get_span_context()
        if not span.is_valid:
            return {}
        identity, place = trace.format_trace_id(span.trace_id), trace.format_span_id(span.span_id)
        told: dict[str, object] = {"trace_id": identity, "span_id": place}
        if self._project:
            told |= {
                "logging.googleapis.com/trace": f"projects/{self._project}/traces/{identity}",
                "logging.googleapis.com/spanId": place,
                "logging.googleapis.com/trace_sampled": span.trace_flags.sampled,
            }
        return told


_FORMS: dict[str, Callable[[str], logging.Formatter]] = {"text": Text, "json": Json}


def _severity(level: int) -> str:
    """Google's name of a level; what lies between two is the lower one."""
    named = ((50, "CRITICAL"), (40, "ERROR"), (30, "WARNING"), (20, "INFO"))
    return next((name for least, name in named if level >= least), "DEBUG")


def _message(record: logging.LogRecord) -> str:
    try:
        said = record.getMessage()
    except Exception:  # noqa: BLE001 - a line whose arguments do not fit is told without them, and not through logging
        said = f"{record.msg} (and what does not fit into it)"
    return _clean(said, LONGEST)


def _traceback(record: logging.LogRecord) -> str:
    if record.exc_info and not record.exc_text:
        record.exc_text = logging.Formatter().formatException(record.exc_info)
    told = "\n".join(part for part in (record.exc_text, record.stack_info) if part)
    if len(told) > LONGEST_TRACEBACK:
        told = _masked(told[-LONGEST_TRACEBACK - _BEYOND :])[-LONGEST_TRACEBACK:]
        return f"…{told}"
    return _masked(told)


def _clean(text: str, longest: int) -> str:
    cut = _masked(text[: longest + _BEYOND])
    if len(text) > longest:
        cut = f"{cut[:longest]}… ({len(text):,} characters)"
    return _CONTROL.sub(_escaped, cut)


def _masked(text: str) -> str:
    """Without personal data; the ids of exchanges stay, some of which look like account numbers."""
    return "".join(part if number % 2 else pii.mask(part) for number, part in enumerate(_ID.split(text)))


def _escaped(found: re.Match[str]) -> str:
    return found.group().encode("unicode_escape").decode("ascii")
