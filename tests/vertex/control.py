"""How other processes steer the local cloud: `/local/faults`, `/local/calls`, `/local/clock`, `/local/bills`."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from tests.vertex import clock
from tests.vertex.cloud import Cloud, Refusal, Verb, told
from tests.vertex.faults import Fault, Faults, Kind

_HOW = {"times": int, "retry_after": str, "seconds": float, "bytes": int, "message": str}


def add(faults: Faults, rule: dict[str, Any]) -> Fault:
    """A rule such as `{"kind": "429", "calls": "gemini", "where": "us-central1", "times": 3}`; raise `ValueError`.

    It must say which `calls` it is about: a rule about all would keep this interface itself from answering.
    """
    told_of = {**rule}
    kind, calls, where = (str(told_of.pop(name, "")) for name in ("kind", "calls", "where"))
    if not calls or "local".startswith(calls):
        raise ValueError("a rule says which calls it is about, such as gemini or gemini.stream")
    if unknown := sorted(set(told_of) - set(_HOW)):
        raise ValueError(f"a rule has no {unknown[0]!r}; it has kind, calls, where, {', '.join(_HOW)}")
    return faults.add(kind_of(kind), calls, where, **{name: _HOW[name](value) for name, value in told_of.items()})


def kind_of(text: str) -> Kind:
    """The kind that is written in words or in capitals; raise `ValueError` naming all of them."""
    for kind in Kind:
        if text.lower().replace("-", " ").replace("_", " ") in (kind.value, kind.name.lower().replace("_", " ")):
            return kind
    raise ValueError(f"there is no fault {text!r}; there are {', '.join(kind.value for kind in Kind)}")


async def _add(cloud: Cloud, request: Request, body: Any) -> Response:
    try:
        rule = add(cloud.faults, body if isinstance(body, dict) else {})
    except (TypeError, ValueError) as error:
        raise Refusal(400, "INVALID_ARGUMENT", str(error)) from error
    cloud.held.setdefault("local rules", []).append(rule)
    return told(_shown(rule))


async def _rules(cloud: Cloud, request: Request, body: Any) -> Response:
    """The rules that were added here and are not used up."""
    return told([_shown(one) for one in cloud.held.get("local rules", ()) if one.times > 0])


async def _clear(cloud: Cloud, request: Request, body: Any) -> Response:
    cloud.faults.clear()
    cloud.held.pop("local rules", None)
    return told({})


async def _calls(cloud: Cloud, request: Request, body: Any) -> Response:
    """The calls whose name begins with `name`, the last `most` of them, with their bodies where `bodies=1` asks."""
    query = request.query_params
    heard = [one for one in cloud.heard(query.get("name", "")) if not one.name.startswith("local.")]
    shown = heard[-_number(query.get("most"), 1_000) :]
    bodies = query.get("bodies") == "1"
    return told(
        {
            "count": len(heard),
            "calls": [
                {"name": one.name, "path": one.path, **({"body": _plain(one.body)} if bodies else {})} for one in shown
            ],
        }
    )


async def _forget(cloud: Cloud, request: Request, body: Any) -> Response:
    with cloud.lock:
        cloud.calls.clear()
    return told({})


async def _clock(cloud: Cloud, request: Request, body: Any) -> Response:
    if isinstance(body, dict) and body.get("seconds"):
        clock.move(cloud, float(body["seconds"]))
    return told({"now": clock.stamp(clock.now(cloud))})


async def _bills(cloud: Cloud, request: Request, body: Any) -> Response:
    held = cloud.held.get("gemini", {})
    return told({"bills": list(held.get("bills", ())), "cancelled": list(held.get("cancelled", ()))})


def _plain(body: Any) -> Any:
    return body.decode(errors="replace") if isinstance(body, bytes) else body


def _number(text: str | None, default: int) -> int:
    return max(1, int(text)) if text and text.isdecimal() else default


def _shown(rule: Fault) -> dict[str, Any]:
    return {"kind": rule.kind.value, "calls": rule.calls, "where": rule.where, "times": rule.times}


VERBS = (
    Verb("local.faults.add", "POST", "/local/faults", _add),
    Verb("local.faults.list", "GET", "/local/faults", _rules),
    Verb("local.faults.clear", "DELETE", "/local/faults", _clear),
    Verb("local.calls", "GET", "/local/calls", _calls),
    Verb("local.calls.forget", "DELETE", "/local/calls", _forget),
    Verb("local.clock", "GET", "/local/clock", _clock),
    Verb("local.clock.move", "POST", "/local/clock", _clock),
    Verb("local.bills", "GET", "/local/bills", _bills),
)
