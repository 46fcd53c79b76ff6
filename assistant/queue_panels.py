"""Hand-overs to a person as people read them: the queue, the context that staff are shown, what each side is told."""

from collections.abc import Sequence

from assistant.citations import words
from assistant.panels import Panel, cut, moment, plain, table
from opsplane.evidence import Evidence
from opsplane.exchange import Exchange
from opsplane.handover import Handover
from opsplane.handover_context import Context, Line, Turn
from opsplane.handover_deeds import BY_COMMAND, Place, Queue

HOUSE = "Wrenfield staff"
"""Who a staff member is to customers, beside their name; with a picture of its own by `style.css`."""
CUSTOMER = "Customer"
"""Who a customer is to staff, likewise."""
_LONGEST = 600  # characters of an earlier answer that are shown
_WHY = {
    BY_COMMAND: "the customer asked by /person",
    "scope.person": "the customer asked for a person",
}


def why(one: Handover) -> str:
    """Why a person was asked, in words where they are known."""
    return _WHY.get(one.code, one.code)


def queue(now: Queue) -> Panel:
    """Who waits, who speaks with whom, and how to take somebody over."""
    body = ["### Queue"]
    if now.waiting:
        rows = [_waiting(one, number, now) for number, one in enumerate(now.waiting, start=1)]
        body.append(table(("", "Id", "Waits since (UTC)", "Minutes", "Customer", "Why"), rows))
        body.append(f"Take one over: `/queue take {plain(now.waiting[0].short)}`")
    else:
        body.append("No customer waits for a person.")
    if now.taken:
        speaking = [(one.short, one.by, moment(one.since), one.customer, why(one)) for one in now.taken]
        body += ["**With a person**", table(("Id", "Staff", "Since (UTC)", "Customer", "Why"), speaking)]
    return Panel("\n\n".join(body))


def context(one: Context) -> Panel:
    """Everything that helps to answer the customer; it is shown, and stays on the record alone."""
    customer = plain(one.handover.customer)
    facts = [("Customer", one.handover.customer), ("Asked (UTC)", moment(one.handover.at)), ("Why", why(one.handover))]
    if one.summary:
        facts.append(("In the customer's words", one.summary))
    body = [f"### You speak with {customer}", _BANNER, table(("Field", "Value"), facts)]
    if one.exchange:
        body += _exchange(one.exchange)
    if one.turns:
        body += ["**The last turns**", *(_turn(turn, one.handover) for turn in one.turns)]
    if one.said:
        body += ["**Said since**", *(_said(line, one.handover) for line in one.said)]
    return Panel("\n\n".join([*body, _BANNER]), kept=False)


def asked(place: Place) -> Panel:
    """That a person has been asked, and the customer's place."""
    if not place.number:
        return Panel("You are speaking with a person already: what you write goes to them.")
    already = "" if place.new else " already"
    text = f"**A person has been asked{already}.** You are number {place.number} in the queue."
    return Panel(f"{text} Until somebody is here I go on answering; `/end` takes it back.")


def passed_on(to: str) -> Panel:
    """That what was written went to somebody."""
    return Panel(f"*Passed on to {plain(to)}.*")


def left(place: Place) -> Panel:
    """To staff: that the customer is back in the queue."""
    one = place.handover
    where = f"back in the queue as number {place.number}"
    return Panel(f"**You have left.** {plain(one.customer)} is {where}; what you write here is yours again.")


def ended(one: Handover, *, staff: bool) -> Panel:
    """To whoever ended it."""
    if staff:
        told = f"**The conversation with {plain(one.customer)} is over.** The assistant answers them again."
        return Panel(f"{told} What you write here is yours again. Next: `/queue`")
    if not one.by:
        return Panel("**Nobody is asked any longer.** The assistant answers, as before.")
    return Panel("**The conversation with a person is over.** The assistant answers you again.")


def told_new(one: Handover) -> str:
    """To all staff: that a customer waits."""
    what = f"**{'Urgent: a' if one.urgent else 'A'} customer waits for a person.**"
    return f"{what} {words(one.customer)}, {words(why(one))}. Take over: `/queue take {words(one.short)}`"


def told_taken(name: str) -> str:
    """To the customer: that somebody is there."""
    who = words(name)
    told = f"**{who} of {HOUSE} is here.** What you write now goes to {who}, not to the assistant."
    return f"{told} `/end` ends the conversation with a person."


def told_said(author: str, text: str) -> str:
    """To the other side: what was said, letter by letter, under the name of whoever said it."""
    return "\n\n".join([f"**{words(author)}**", *(words(line) for line in text.splitlines() if line.strip())])


def told_taken_over(one: Handover, name: str) -> str:
    """To the staff member before: that a colleague has the customer now."""
    return f"**{words(one.customer)} is with {words(name)} now.** What you write here is yours again."


def told_returned(name: str) -> str:
    """To the customer: that the staff member has left."""
    told = f"**{words(name)} has left, and another person has been asked.**"
    return f"{told} You keep your place in the queue; until somebody is here the assistant answers."


def told_ended(name: str) -> str:
    """To the customer: that the staff member ended it."""
    return f"**The conversation with {words(name)} is over.** The assistant answers you again."


def told_gone(one: Handover) -> str:
    """To the staff member: that the customer ended it."""
    return f"**{words(one.customer)} ended the conversation.** What you write here is yours again. Next: `/queue`"


def told_nobody(elsewhere: str) -> str:
    """To the customer: that nobody came in time, and how else to reach a person."""
    return f"**Nobody could take over in time, I am sorry.** {words(elsewhere)}"


def told_silence(name: str) -> str:
    """To both sides: that a conversation in which nobody wrote is over."""
    return f"**The conversation with {words(name)} is over:** neither side wrote for a long time."


_BANNER = (
    "> **Everything that you write here without a slash goes to the customer.** `/end` ends it and lets the "
    "assistant answer again (`/end solved`, `/end unsolved`); `/queue leave` puts the customer back into the queue."
)


def _waiting(one: Handover, number: int, now: Queue) -> tuple[str, ...]:
    minutes = int((now.at - one.at).total_seconds() // 60)
    return (
        f"{number}, urgent" if one.urgent else str(number),
        one.short,
        moment(one.at),
        str(minutes),
        one.customer,
        why(one),
    )


def _exchange(one: Exchange) -> list[str]:
    """The turn that it came of: question, answer so far, what the checks found, the documents."""
    outcome = one.outcome.value + (f" ({one.code})" if one.code else "")
    facts = [("Question", one.question), ("Outcome", outcome), ("Shown", one.answer or "—")]
    body = ["**The turn that it came of**", table(("Field", "Value"), facts)]
    if one.findings:
        found = [(each.code, each.action.value, each.span, each.detail) for each in one.findings]
        body += ["**Findings**", table(("Code", "Action", "Words", "Detail"), found)]
    if one.evidence:
        body += ["**Documents**", "\n".join(f"- {plain(each)}" for each in _documents(one.evidence))]
    return body


def _documents(evidence: Sequence[Evidence]) -> list[str]:
    """The title of each document, once."""
    return list(dict.fromkeys(one.title for one in evidence))


def _turn(turn: Turn, one: Handover) -> str:
    answer = plain(cut(turn.answer, _LONGEST)) or "nothing was shown"
    return (
        f"{turn.at:%H:%M} **{plain(one.customer)}:** {plain(turn.question)}  \n"
        f"**Assistant** ({plain(turn.outcome)}): {answer}"
    )


def _said(line: Line, one: Handover) -> str:
    who = one.customer if line.event.side == "customer" else line.event.by
    return f"{line.at:%H:%M} **{plain(who)}:** {plain(line.event.text)}"
