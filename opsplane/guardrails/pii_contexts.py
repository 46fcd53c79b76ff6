"""What the words before a number say that it is: a card, an account, a phone, an order, an amount."""

import re
from typing import NamedTuple

REACH = 60
"""Characters before a number in which a word may name it."""


class Measured(NamedTuple):
    """A piece of what may be personal data at `text[start:end]`, and how sure that is, from 0 to 1."""

    type: str
    start: int
    end: int
    certainty: float


_KINDS = {
    "phone": "phone phones telephone telephones cellphone iphone tel cell mobile mobiles landline call called "
    "calling calls callback text texts texted reach reachable ring rang dial dialed dialled fax faxed "
    "whatsapp sms contact hotline voicemail answers_at answering_at answered_at answer_at my_number "
    "his_number her_number their_number our_number your_number new_number work_number home_number "
    "direct_number whose_number",
    "card": "charge charged cvv card cards cc visa mastercard master_card amex american_express discover diners "
    "diners_club maestro jcb pan",
    "account": "account accounts acct acc a/c checking savings",
    "ssn": "ssn ssns ss_number taxpayer_id social socials social_security tax_id tin itin",
    "public": "routing aba transit swift bic sort_code toll_free",
    "iban": "iban ibans",
    "licence": "licence license licences licenses dl passport",
    "ip": "ip ipv4 ipv6 host server address browse network dns",
    "version": "v ver version versions section sections sec release build firmware rule part chapter cfr usc §",
    "reference": "order orders invoice invoices reference references ref confirmation tracking track case cases ticket "
    "tickets serial sku isbn item parcel shipment transaction po model docket patent catalog catalogue",
    "amount": "amount amounts total totals sum price prices paid pay cost costs fee fees balance balances worth "
    "population volume year years zip postcode postal suite apt date dated page pages pp "
    "shares",
}
_KIND = {words.replace("_", " "): kind for kind, entries in _KINDS.items() for words in entries.split()}
_TOKEN = re.compile("a/c|[a-z]+[46]?|§")
_IS = re.compile(r",? (?:(?:which )?(?:is|was)|as|on) (?:my|his|her|their|our|your|the|an?) ", re.IGNORECASE)
_UNIT = re.compile(
    r"\.[0-9]{1,2}(?![0-9.])|\s?%|\s(?:dollars?|usd|eur|euros?|pounds?|cents?|shares?|units?|people|customers?|users?|points?|"
    r"miles|times|percent|bytes|rows|copies|votes|views|residents|employees|barrels|tons|tonnes)\b",
    re.IGNORECASE,
)


def named(text: str, start: int, end: int = 0) -> str:
    """What the nearest telling word before `text[start:]`, else "is my ..." after its end, says that it is."""
    later = ""
    for word in reversed(_TOKEN.findall(text[max(0, start - REACH) : start].lower())):
        if kind := _KIND.get(f"{word} {later}") or _KIND.get(later):
            return kind
        later = word
    return _KIND.get(later) or (_named_after(text, end) if end else "")


def _named_after(text: str, end: int) -> str:
    link = _IS.match(text, end)
    words = _TOKEN.findall(text[link.end() : link.end() + 30].lower()) if link else []
    return next((_KIND[word] for word in words if word in _KIND), "")


def counted(text: str, end: int) -> bool:
    """Whether what follows makes a number that ends here an amount or a count."""
    return _UNIT.match(text, end) is not None
