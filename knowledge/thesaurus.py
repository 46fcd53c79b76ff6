"""What customers call things, in the words of terms and laws: a question is searched for in both."""

import re

FAMILIAR = 0.65
"""A question with a window as near as this (cosine) speaks as the documents do and needs no other words."""
_TERMS = {
    r"stole\w*|thief|thieves|hack\w*|fraud\w*|scam\w*|lost my|missing": "unauthorized transfer, loss or theft",
    r"most i can|on the hook|out of pocket|owe for": "limit on liability of the consumer",
    r"debit card|atm card|bank card": "access device, electronic fund transfer",
    r"(?:automatic|auto|recurring) ?-?(?:payment|debit|withdrawal|bill ?pay)s?|autopay": "preauthorized transfer",
    r"direct deposit|paycheck|wages|salary": "preauthorized credit, payroll",
    r"abroad|overseas|foreign country|international (?:money )?transfer|remit\w*": "remittance transfer, sender",
    r"turn(?:ed|s|ing)? (?:\w+ )?down|reject\w*|refus\w*|denied|said no": "adverse action, denial of application",
    r"mistakes?|wrong|messed up|incorrect|screw\w* up|glitch": "error, error resolution",
    r"money back|reimburse\w*|put (?:it|the money) back": "refund, credit",
    r"cheques?": "check",
    r"cds?|certificates? of deposit": "time account, maturity",
    r"savings (?:account|yield|rate)|yield": "annual percentage yield, interest, account",
    r"wife|husband|married": "spouse, marital status",
    r"welfare|food stamps|unemployment|disability": "public assistance program, income",
    r"credit (?:bureaus?|report\w*|file|history)|bureaus?": "consumer reporting agency, consumer report, file",
    r"collectors?|collection agency": "debt collector, communication, debt",
    r"mortgage|home loan|house payment|my house": "mortgage loan, servicer",
    r"behind on|late on|miss(?:ed|ing)? (?:\w+ )?(?:\w+ )?payments?|f[ae]ll behind": "delinquent, delinquency",
    r"foreclos\w*|(?:take|lose) my (?:house|home)": "foreclosure, first notice or filing, loss mitigation",
    r"escrow|property tax\w*": "escrow account, disbursements, cushion, shortage, surplus",
    r"gift cards?|store cards?": "gift certificate, store gift card, general-use prepaid card",
    r"prepaid|reload\w*": "prepaid account, payroll card account",
    r"overdraft|overdraw\w*|insufficient funds": "overdraft service, opt-in",
    r"(?:hold|release|use|touch|spend|get) (?:my |the |part )?(?:of )?(?:deposit|check|money|cheque|it)": (
        "availability of funds, business day after deposit"
    ),
    r"lease|leas(?:ed|ing)": "consumer lease, lessor, lessee, residual value",
    r"share my \w+|privacy|sell my \w+": "nonpublic personal information, nonaffiliated third party, opt out",
    r"junk mail|pre-?approved|prescreen\w*": "prescreened solicitation, firm offer of credit, opt out",
    r"bank": "financial institution",
    r"lender|loan company|loan officer": "creditor, applicant, application",
    r"how (?:long|soon|quickly|fast|early|often|far ahead)|deadline|by when": "days, not later than, within",
    r"keep (?:\w+ )?(?:records?|files?|copies|papers?)": "record retention, retain",
    r"phoned?|called|call": "oral notice, telephone",
    r"boss|employer": "employer, condition of employment",
    r"closing costs|kickbacks?": "settlement services, kickbacks, unearned fees",
    r"force\w*-placed|insurance (?:\w+ ){0,3}(?:bought|forced)": "force-placed insurance, hazard insurance",
    r"identity theft|in my name": "identity theft, fraud alert, block of information",
    r"race|religion|skin colou?r|immigrant": "prohibited basis, race, color, religion, national origin",
    r"appraisal|home value": "appraisal, valuation, copy",
    r"statements?": "periodic statement",
}
_COMPILED = tuple((re.compile(rf"\b(?:{said})\b", re.I), meant) for said, meant in _TERMS.items())
_LONGEST = 1_000


def meant(question: str) -> tuple[str, ...]:
    """What the question's everyday words are called in terms and laws, each once; at most 1,000 characters are read."""
    text = question[:_LONGEST]
    return tuple(dict.fromkeys(words for said, words in _COMPILED if said.search(text)))
