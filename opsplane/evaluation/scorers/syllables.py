"""Syllables of an English word, counted by its spelling: groups of vowels, less the silent ones, plus those in two."""

import re
from functools import lru_cache

LONGEST = 60
"""Letters of a word that are read; what is longer is no word."""
_GROUP = re.compile(r"[aeiouy]+")
_CONSONANT = "[bcdfghjklmnpqrstvwxz]"
_SILENT = re.compile(
    rf"(?<=[aeiouy]{_CONSONANT})e(?=ly$|ments?$|ful|less|ness|thing|times?$|where$|wide$|backs?$|holds?$|kee)"
    rf"|(?<=[aeiouy][bcdfghjkmnpqrstvwxz]{{2}})e(?=ly$|ments?$|ful|less|ness)"
    rf"|(?<={_CONSONANT})(?<![bcdfgkpstz]l)e$"  # rate; not table
    rf"|(?<=[aeiouy]l)e(?=s$)|(?<=[bdfhkmnprtvw])(?<![cs]h)e(?=s$)"  # rates; not boxes, not tables
    rf"|(?<=[bcfghjkmnpqrsvwxzl])(?<![bcdfgkpstz]l)e(?=d$)"  # closed; not wanted
    rf"|(?<=ev)e(?=ry)|(?<=bus)i(?=ness)|(?<=int)e(?=rest)|(?<=gu)e(?=s$|d$)|(?<=iqu)e(?=s$|d$)"
)
_TWO = re.compile(
    r"(?<![ctsgq])i(?=a)(?!ans?$|ar)"  # variable, not special
    r"|(?<=[^l])i(?=ans?$|ar)(?<![ctg]i)"  # guardian; not Australian, familiar, physician
    r"|(?<![ctsgx])(?<!ll)i(?=o)|(?<=t)i(?=o$|os$)"  # period; not nation
    r"|(?<![ctrl])i(?=en[ct])|(?<=[rl])i(?=en[ct])|i(?=u)|i(?=est$)|(?<=[lr])i(?=er$)"  # recipient, premium
    r"|(?<![gq])u(?=a)|u(?=ous)|(?<![gq])u(?=en[ct])|u(?=it[yi])"  # annual; not language
    r"|[aeiouy](?=ing)|(?<=[aeiou])y(?=[aeiou])(?!e[ds]$)"  # paying, buyer; not played
    r"|(?<=[cr])e(?=at[eio])|(?<=[aeiouy][rd])e(?=a$|as$)"  # create, area
    r"|(?<=[aeiouy])s(?=ms?$)|(?<=i)s(?=ms?$)|(?<=th)m$|e(?=os?$)|(?<=^g)e(?=o)|(?<=^cl)i(?=ent)|(?<=^sc)i(?=en)"
)
_SPELLED = re.compile(r"[B-DF-HJ-NP-TV-XZ]{2,}|[AEIOU][A-Z]{2}")


@lru_cache(maxsize=20_000)
def count(word: str) -> int:
    """How many there are, at least one; capitals that are no word (FDC, ATM) are spelled out, and a W has three."""
    letters = re.sub(r"['’]s?$|[^a-zA-Z]", "", word[:LONGEST])
    if _SPELLED.fullmatch(letters):
        return len(letters) + 2 * letters.count("W")
    low = letters.lower()
    groups = len(_GROUP.findall(low))
    return max(1, groups - len(_SILENT.findall(low)) + len(_TWO.findall(low)))
