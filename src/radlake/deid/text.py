"""Texts without identities: first what looks identifying or is known goes, then every word outside the vocabulary.

The allow-list is the rule for lakes, because no pattern knows all names. Its limit: a name that is also a word of
reports ("long", "brown") can stay where it is written in lower case.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import permutations

from radlake.deid.vocabulary import report_words

GAP = "[...]"
_LONGEST = 100_000  # characters; a report has a few thousand
_PARTS_IN_A_RUN = 4
_PARTS_JOINED = 3  # a name of more parts is not looked for in one word

_MONTH = (
    r"(?:(?i:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|"
    r"nov(?:ember)?|dec(?:ember)?|januar|februar|märz|mai|juni|juli|oktober|dezember)|May|MAY)\b\.?"
)
_NAME = r"[^\W\d_][\w'’.-]{0,40}"
_CAPITAL = r"[^\W\d_a-z][\w'’.-]{0,40}"
_DONE = (
    r"(?:approved|dictated|interpreted|ordered|performed|read|referred|reported|requested|reviewed|seen|signed|"
    r"transcribed|verified)"
)
_ROLE = r"(?:clinician|doctor|operator|patient|physician|radiologist|surgeon|technologist)"
_UNIT = (
    r"(?:[cmkn]?m[23]?|[µμ]m|[kmµμ]?g|m?l|dl|cc|hu|kvp?|mas?|m?gy|m?sv|mci|[mk]?bq|m?s|sec|[mk]?hz|t|ppm|mmhg|%|°|"
    r"percent|degrees?|pixels?|voxels?)"
)
# Every pattern starts at a boundary or is bounded, so that hostile texts cost linear time. Surer patterns come first.
# Before each stand characters of which any match holds one, 0 for all digits: without them it is not looked for.
_IDENTIFYING = tuple(
    (frozenset(needed), re.compile(pattern))
    for needed, pattern in (
        (":.", r"\b[A-Za-z][A-Za-z0-9+.-]{0,20}://\S+|\b(?i:www)\.\S+"),
        ("@", r"(?<![\w.+-])[\w.+-]{1,64}@[\w.-]+"),
        ("\\/", r"(?<![^\s\"'(=])(?:[A-Za-z]:)?(?:[\\/][\w.~-]+){2,}|\\\\\S+"),  # a path
        (".", r"(?<![\d.])\d+(?:\.\d+){3,}"),  # a UID or an IPv4 address
        (":-", r"\b(?:[0-9A-Fa-f]{1,4}:){3,7}[0-9A-Fa-f:]*|\b[0-9A-Fa-f]{8}-[0-9A-Fa-f-]{20,}"),  # IPv6, MAC, UUID
        ("-./", r"\b(?:19|20)\d\d([-./])\d{1,2}\1\d{1,2}(?:[T ]\d[\d:.+Z-]*)?"),
        ("-./", r"(?<![\d.])\d{1,2}(\s?[-./]\s?)\d{1,2}\1(?:\d{4}|\d{2})(?!\d|[.,]\d|\s?[cm]m)"),
        ("-/", r"\b(?:19|20)\d\d[-/]\d{1,2}\b|\b\d{1,2}/(?:19|20)\d\d\b"),
        ("0", rf"\b\d{{1,2}}(?:st|nd|rd|th|\.)?\s?(?:of\s)?[-/]?{_MONTH}(?:[-/,\s]{{0,2}}(?:\d{{4}}|'?\d\d\b))?"),
        ("0", rf"\b{_MONTH}\s?\d{{1,2}}(?:st|nd|rd|th)?\b(?:,?\s?\d{{4}})?|\b{_MONTH}[\s,]{{0,2}}\d{{4}}\b"),
        (":mM", r"\b\d{1,2}:\d\d(?::\d\d(?:\.\d+)?)?(?:\s?[AaPp]\.?[Mm]\b\.?)?|\b\d{1,2}\s?[AaPp]\.?[Mm]\b\.?"),
        # a phone
        ("0", r"(?<![\w.])\+?\(?(?=(?:[\s./()-]{0,2}\d){7})\d{2,5}\)?(?:[\s./-]{1,2}\(?\d{2,5}\)?)+(?![\w.]?\d)"),
        # Case matters: MR is a modality, ms a unit of time.
        ("DdFHMPS",
         rf"(?<!\d)(?<!\d\s)\b(?:Drs?|DR|dr|Mr|Mrs|Ms|MRS|Prof|PROF|Herr|Frau|Sr|Sra|Mme|Mlle)\b\.?\s{{0,2}}{_NAME}"
         rf"(?:[\s,]{{1,2}}{_CAPITAL}){{0,2}}"),
        ("DMPS",
         rf"\b(?:Doctor|Professor|Miss|Mister|Sir|Madam|Sister|Dear)\s{_CAPITAL}(?:[\s,]{{1,2}}{_CAPITAL}){{0,2}}"),
        ("0", r"(?<![.\d])\d{5,}"),
    )
)  # fmt: skip
_PERSON_NAME = re.compile(r"(?<![^\s^])(?!x?\d+\^[-+]?\d)[^\s^]*\^\S*")  # as DICOM writes it; not 10^9
_LEAD = re.compile(
    rf"(\b(?i:{_DONE}\s+by|{_ROLE}\s*:|attn\.?)\s*:?\s{{0,2}}){_CAPITAL}(?:[\s,]{{1,2}}{_CAPITAL}){{0,3}}"
    r"|(\b(?i:name|address)\s*[:=]\s*)[^\n,;]{1,80}"
)
_OLD = re.compile(r"\b(?:9\d|1[0-2]\d)(?=[\s-]{0,2}(?:years?|yrs?|yo|y/o|y\.o)\b)", re.IGNORECASE)
_WORD = re.compile(r"[^\W_]+")
_TOKEN = re.compile(r"\[\.\.\.\]|[^\W_]+|\s+|.", re.DOTALL)
_GAPS = re.compile(r"\[\.\.\.\](?:[\s.,'’&/()-]{0,3}\[\.\.\.\])+")
_LETTERS = frozenset("abcegilnrstvwxyzAILRX")  # words, sides, what is left of e.g. and of 's; no other initial
_CONTRAST = re.compile(r"\s?[+/&]\s?W?O\b|\s?(?:CON|CONTRAST|GAD|GD)\b", re.IGNORECASE)  # W+WO, W/O, W CONTRAST
_SYMBOLS = frozenset("°±×µ≥≤≈–—•²³’“”")

# L4, Th12, T2w, B30f, T1c, N0, G2, 3D, 4a, b1000, 18F, cm3, 3rd, IIIa, H2O: letters with few digits that say no name.
_CODED = re.compile(
    r"[CTLS]\d{1,2}|T[hH]\d{1,2}|[tT][12][wW]?|p[234]|[BHI]\d{2}[fhs]|[BHQ][rv]\d{2}|[GBPS]\d[a-c]?|[234][Dd]|[1-6][a-c]|\d{1,3}[xX]|[xX]\d{1,2}|"
    r"[cpyr]{0,2}(?:T(?:is|[0-4xX])[a-d]?)?(?:N[0-3xX][a-c]?)?(?:M[01xX][a-c]?)?|"  # a TNM stage
    r"[bB](?:0|50|[1-9]\d?00)|18F|68Ga|99mTc|11C|13N|15O|123I|131I|[cm]m[23]|1st|2nd|3rd|[4-9]th|[12]\dth|"
    r"I{1,3}[abAB]|IV[abAB]|H2O|[CS]?[pP]?O2|FEV1|B12"
)
_GLUED = re.compile(rf"\d{{1,4}}{_UNIT}", re.IGNORECASE)  # 5mm
_MEASURE_AHEAD = re.compile(rf"[.,]\d|\s?{_UNIT}(?![^\W_])", re.IGNORECASE)
# A capital at the start of a sentence means nothing, unless the sentence goes on as those about people do.
_START = re.compile(r"(?:^|[.:;!?•\n\]]|[-*]|\d[.)])\s*$")
_FOLLOWER = re.compile(r" ([a-z]+)\b")
_OF_PEOPLE = frozenset({
    "agreed", "agrees", "also", "and", "asked", "at", "attended", "called", "came", "can", "complained",
    "complains", "continues", "denied", "denies", "dictated", "did", "does", "et", "had", "has", "in", "is",
    "needs", "on", "or", "presented", "presenting", "presently", "presents", "referred", "reported", "reports",
    "requested", "returned", "reviewed", "said", "saw", "seen", "signed", "takes", "took", "underwent", "was",
    "were", "who", "whose", "will",
})  # fmt: skip
_NO_NAMES = frozenset({
    "and", "as", "at", "by", "center", "centre", "clinic", "da", "de", "department", "di", "du", "for", "from",
    "general", "health", "hospital", "imaging", "in", "institute", "is", "la", "le", "medical", "no", "not", "of",
    "on", "radiology", "st", "the", "to", "university", "van", "von", "der", "with",
})  # fmt: skip


def clean_text(text: str, known: Sequence[str] = (), *, allow_list: bool = True) -> str:
    """A text without what could identify anybody; "[...]" stands for what was taken out.

    Parameters
    ----------
    text : str
        Free text; only the first 100,000 characters are used.
    known : sequence of str
        Values that identify this person or the staff; their components go in any order, case and accent.
    allow_list : bool
        Keep only words of the vocabulary (DICOM code meanings, words of reports), numbers of up to three digits,
        measurements and codes such as "L4". False: only take out what is known or looks identifying.

    Examples
    --------
    >>> clean_text("John Doe, seen 2024-03-01: 12 mm nodule at L4/L5, T2 hyperintense. Dr. Smith", ["Doe^John"])
    '[...], seen [...]: 12 mm nodule at L4/L5, T2 hyperintense. [...]'
    """
    text = unicodedata.normalize("NFKC", text[:_LONGEST]).replace("\0", " ")
    text = _PERSON_NAME.sub(_without_name, text)
    there = set(text)
    if any(map(str.isdecimal, there)):
        there.add("0")
    for needed, pattern in _IDENTIFYING:
        if not needed.isdisjoint(there):
            text = pattern.sub(GAP, text)
    text = _without_known(text, known)
    text = _LEAD.sub(lambda found: (found[1] or found[2]) + GAP, text)
    text = _OLD.sub("90", text)  # 90 stands for 90 and more
    if allow_list:
        text = "".join(_allowed(text))
    return _GAPS.sub(GAP, text).strip()


def fold(text: str) -> str:
    """Without case and accents: what the spellings of a name have in common.

    Examples
    --------
    >>> fold("MÜLLER"), fold("Ångström")
    ('muller', 'angstrom')
    """
    if text.isascii():
        return text.lower()
    text = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in text if not unicodedata.combining(c))


@lru_cache(maxsize=2)  # the texts of one file follow each other
def _components(known: tuple[str, ...]) -> frozenset[str]:
    """Folded parts of known identifiers, and their parts joined, that are long enough to be looked for."""
    found: set[str] = set()
    for value in known:
        parts = _WORD.findall(fold(value))
        found.update(p for p in parts if not p.isdigit() or len(p) > 3)
        if len(parts) <= _PARTS_JOINED:
            found.update("".join(p) for p in permutations(parts))
        else:
            found.add("".join(parts))
        # Folding breaks up Hangul and kana; inside a run of such letters the name stands as it was written.
        found.update(p for p in _WORD.findall(unicodedata.normalize("NFKC", value)) if not p.isascii())
    # An institution may be called by words of reports ("Chest Clinic"); nobody is, apart from the marked ones.
    listed, names_too = report_words()
    return frozenset(p for p in found - _NO_NAMES if len(p) > 1 and (p not in listed or p in names_too))


@lru_cache(maxsize=2)
def _runs(known: tuple[str, ...]) -> re.Pattern[str] | None:
    """Known identifiers, whole and in any order, of which two parts are words that may stay alone ("Test^Modality")."""
    free = report_words().known
    split = (_WORD.findall(fold(value)) for value in known)
    told = [parts for parts in split if 1 < len(parts) <= _PARTS_IN_A_RUN and sum(p in free for p in parts) > 1]
    runs = {r"[\W_]{1,3}".join(map(re.escape, order)) for parts in told for order in permutations(parts)}
    return re.compile(rf"\b(?:{'|'.join(sorted(runs))})\b", re.IGNORECASE) if runs else None


@lru_cache(maxsize=2)
def _unspaced(known: tuple[str, ...]) -> list[str]:
    """Components in scripts that may have no spaces between words, longest first."""
    return sorted((p for p in _components(known) if not p.isascii()), key=lambda p: (-len(p), p))


def _without_known(text: str, known: Sequence[str]) -> str:
    """A text without known identifiers and their components."""
    runs = _runs(tuple(known))
    text = runs.sub(GAP, text) if runs else text
    parts = _components(tuple(known))
    if not parts:
        return text

    def judged(found: re.Match[str]) -> str:
        word = found[0]
        # Two letters (Li, An) are a name only with a capital; as words they are everywhere.
        named = fold(word) in parts and not (len(word) == 2 and word.islower() and word.isascii())
        return GAP if named else word

    text = _WORD.sub(judged, text)
    for part in _unspaced(tuple(known)):
        text = text.replace(part, GAP)
    return text


def _allowed(text: str) -> Iterator[str]:
    """Tokens of a text, a gap for each word outside the vocabulary."""
    for found in _TOKEN.finditer(text):
        token = found[0]
        if token[0].isalnum():
            yield token if _is_free(token, text, found.start(), found.end()) else GAP
        elif token == GAP or token.isspace() or token.isascii() or token in _SYMBOLS:
            yield token


def _is_free(token: str, text: str, start: int, end: int) -> bool:
    """Whether a word or number may stay where it stands."""
    if not token.isascii():
        return False
    if token.isdigit():
        return _is_free_number(token, text, start, end)
    if not token.isalpha():
        return _CODED.fullmatch(token) is not None or _GLUED.fullmatch(token) is not None
    if len(token) == 1:
        return token in _LETTERS or _is_contrast(text, start, end)
    return _is_free_word(token, text, start, end)


def _without_name(found: re.Match[str]) -> str:
    """What is written like a person's name; the words alone where all are listed and no names ("Thorax^Routine")."""
    known, names_too = report_words()
    parts = [word.lower() for word in _WORD.findall(found[0])]
    listed = all(part in known and part not in names_too for part in parts) and parts
    return found[0].replace("^", " ") if listed else GAP


def _is_contrast(text: str, start: int, end: int) -> bool:
    """Whether a letter is the W of "W+WO", "W/O" or "W CONTRAST", or the O of "W/O"."""
    letter = text[start:end]
    return (letter == "W" and _CONTRAST.match(text, end) is not None) or (
        letter == "O" and text[max(0, start - 2) : start] == "W/"
    )


def _is_free_number(digits: str, text: str, start: int, end: int) -> bool:
    """Up to three digits, or four that measure something, or decimals."""
    if start > 1 and text[start - 1] in ".," and text[start - 2].isdigit():
        return len(digits) <= 6
    return len(digits) <= 3 or (len(digits) == 4 and _MEASURE_AHEAD.match(text, end) is not None)


def _is_free_word(token: str, text: str, start: int, end: int) -> bool:
    """In the vocabulary; with a capital only if it is no name too, or begins a sentence that is not about a person."""
    known, names_too = report_words()
    word = token.lower()
    if word not in known:  # the plural of a listed word
        return token.islower() and word.endswith("s") and word[:-1] in known and word[:-1] not in names_too
    if word not in names_too or token.islower():
        return True
    follower = _FOLLOWER.match(text, end)
    return (
        token.istitle()
        and follower is not None
        and follower[1] in known
        and follower[1] not in names_too
        and follower[1] not in _OF_PEOPLE
        and _START.search(text, max(0, start - 4), start) is not None
    )
