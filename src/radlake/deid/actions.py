"""New values for single attributes of a DICOM data set: UIDs, dummies by VR, and texts that say nothing of anybody."""

from __future__ import annotations

import base64
import hmac
import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from radlake.core.ids import keyed_id
from radlake.deid import dates
from radlake.deid.pseudonyms import accession, normalise, patient, shift_days, unit
from radlake.deid.rows import clean as clean_column
from radlake.deid.text import GAP, clean_text, fold
from radlake.deid.vocabulary import report_words, terms

REMOVED = "REMOVED"
SHORT = 16  # characters of an SH
TEXTS = frozenset({"LO", "LT", "SH", "ST", "UC", "UT"})
DATES = frozenset({"DA", "DT", "TM"})
NUMBERS = frozenset({"AT", "FD", "FL", "SL", "SS", "SV", "UL", "US", "UV"})
WORDS = frozenset({"OD", "OF", "OL", "OV", "OW"})
_LENGTHS = {"SH": SHORT, "LO": 64}
_DUMMIES: dict[str, str | bytes | int] = {
    **dict.fromkeys(("AE", "CS", "LO", "LT", "PN", "SH", "ST", "UC", "UT"), REMOVED),
    **dict.fromkeys(NUMBERS, 0),
    **dict.fromkeys(("OB", "UN"), b"\0\0"),
    **dict.fromkeys(WORDS, bytes(8)),
    "AS": "000Y", "DA": "19000101", "DT": "19000101000000", "TM": "000000", "DS": "0", "IS": "0", "UR": "urn:removed",
}  # fmt: skip
_CODE = re.compile(r"[A-Z0-9_ +/().:-]{0,16}")
_STANDARDS = re.compile(r"ISO_\d{5}_\d|GB18030|ISO_IR \d{1,3}")
_ROUND = re.compile(r"[1-9]\d{0,2}0{3,}")  # what is measured or set, not counted: ImageType of DX ends with 150000
_LEAST_ID = 6  # digits; shorter numbers are equal to an id by chance, as the 4711th image of a patient 4711
_NUMERIC = re.compile(r"(?:\s*[-+]?(?:\d{1,12}\.?\d{0,14}|\.\d{1,14})(?:[eE][-+]?\d{1,3})?[\s\0]*(?:\\|$))+")
_TERMS = terms.MODALITIES | terms.PHOTOMETRIC | terms.IMAGE_TYPES | terms.BODY_PARTS | terms.VIEWS
_SCHEMES = frozenset({
    "ACR", "DCM", "DCMUID", "FMA", "I10", "I9", "IBSI", "ICDO3", "IHERO", "ISO3166_1", "ISO639_1", "LN", "MA", "MDC",
    "NCIt", "NEU", "NYUMCCG", "RADELEMENT", "RADLEX", "RFC5646", "SCPECG", "SCT", "SDM", "SNM3", "SRT", "UCUM", "UMLS",
    "UNS", "99SDM", "99SMS_RESMETA",
})  # fmt: skip
# A token that names a product, kernel, coil or version: with digits but not five in a row, or three capitals.
_TECHNICAL = re.compile(r"[*+_.:-]*(?:(?=\w*\d)(?!\w*\d{5})[A-Za-z0-9]{1,10}|[A-Z]{1,3})[*+_.:-]*")
_COMPANY = frozenset({
    "ag", "bv", "co", "company", "corp", "corporation", "electric", "electronics", "gmbh", "healthcare", "healthineers",
    "imaging", "inc", "kg", "limited", "ltd", "medical", "nv", "of", "systems", "system", "technologies", "technology",
    "ultrasound",
})  # fmt: skip

# Names of scanners, coils, kernels and pulse sequences, as vendors publish them.
_PRODUCTS = frozenset({
    "achieva", "acuson", "advance", "advantage", "aera", "affiniti", "allura", "altea", "antares", "aplio", "aquilion",
    "aristos", "artis", "avanto", "axiom", "biograph", "boarray", "bone", "brilliance", "brivo", "detail", "dimensions",
    "definition", "definium", "digitaldiagnost", "discovery", "edge", "emotion", "epiq", "espree", "essenta", "excite",
    "flair", "flash", "force", "gemini", "genesis", "harmony", "haste", "healthcare", "hispeed", "horizon", "ingenia",
    "ingenuity", "innova", "intera", "lightspeed", "logiq", "lumina", "lung", "magnetom", "mammomat", "mprage",
    "numaris", "optima", "plus", "prisma", "prospeed", "revolution", "selenia", "senographe", "sensation", "sequoia",
    "signa", "skyra", "soft", "sola", "somatom", "sonata", "standard", "supria", "symphony", "syngo", "terra", "titan",
    "trio", "ultra", "vantage", "vereos", "verio", "vida", "vision", "vivid", "voluson", "workstation", "ysio",
})  # fmt: skip


def dummy(vr: str) -> str | bytes | int:
    """A value of a VR that says nothing (action D of PS3.15 table E.1-1a).

    Examples
    --------
    >>> dummy("DA"), dummy("LO")
    ('19000101', 'REMOVED')
    """
    return _DUMMIES.get(vr, b"\0\0")


def is_numeric(text: str) -> bool:
    r"""Whether a DS or IS holds numbers and nothing else.

    Examples
    --------
    >>> is_numeric(r"1.5\-2e3 "), is_numeric("Smith")
    (True, False)
    """
    return not text.strip(" \\\0") or _NUMERIC.fullmatch(text) is not None


def keyed_uid(key: bytes, uid: str) -> str:
    """The UID that stands for another: `2.25.` and a keyed UUID (PS3.5 B.2, RFC 9562 version 8).

    Examples
    --------
    >>> keyed_uid(b"k" * 32, "1.2.3") == keyed_uid(b"k" * 32, "1.2.3 "), len(keyed_uid(b"k" * 32, "1.2.3")) <= 44
    (True, True)
    """
    number = int.from_bytes(hmac.digest(key, b"uid\0" + normalise(uid).encode("utf-8", "surrogatepass"), "sha256")[:16])
    number = number & ~(0xF << 76) | 0x8 << 76  # version 8: made as its maker likes
    number = number & ~(0x3 << 62) | 0x2 << 62  # the variant of RFC 9562
    return f"2.25.{number}"


def is_registered(uid: str) -> bool:
    """Whether a UID is published: a class, a transfer syntax, a well-known frame of reference."""
    return clean_column("sop_class", uid) is not None


@dataclass
class Person:
    """Whose data set is cleaned: what stands for the identifiers, and how far the dates move.

    Parameters
    ----------
    key : bytes
        The owner's secret.
    patient_id, issuer, study_uid : str
        Raw identifiers of the data set.
    known : tuple of str
        Every value in it that identifies the person or the staff.
    """

    key: bytes
    patient_id: str
    issuer: str
    study_uid: str
    known: tuple[str, ...]
    alias: str = field(init=False)
    study: str = field(init=False)
    days: int = field(init=False)
    _cleaned: dict[str, str] = field(default_factory=dict)
    _parts: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        self.alias = patient(self.key, self.patient_id, self.issuer) or ""
        study = unit(self.key, "study", self.study_uid) or keyed_id(self.key, "study", "")
        self.study = study[:SHORT]
        self.days = shift_days(self.key, self.alias or study)  # as in the tables of a lake
        words = re.findall(r"[^\W_]+", " ".join(fold(v) for v in self.known))
        known, names_too = report_words()  # a hospital is called Radiology, nobody is
        self._parts = frozenset(w for w in words if len(w) > 2 and (w not in known or w in names_too))

    def other(self, patient_id: str, issuer: str) -> str:
        """Pseudonym of a patient id that stands anywhere in the data set; empty for a placeholder."""
        return patient(self.key, patient_id, issuer) or ""

    def accession(self, value: str) -> str:
        """The first 16 characters, which is all that an SH holds, of a lake's accession id."""
        return (accession(self.key, value) or "")[:SHORT]

    def is_named_in(self, text: str) -> bool:
        """Whether a part of a known identifier is one of the words of a text."""
        return not self._parts.isdisjoint(re.findall(r"[^\W_]+", fold(text)))

    def is_id(self, text: str) -> bool:
        """Whether one of the values of a DS or IS is a known number, and so long that this is no chance."""
        values = (value.strip(" \0") for value in text.split("\\"))
        return any(len(value) >= _LEAST_ID and value in self._parts for value in values)

    def date(self, vr: str, text: str) -> str | None:
        """A DA, DT or TM with modified dates; None when it cannot be read."""
        if vr == "TM":
            return dates.time_of_day(text)
        return dates.shift_date(text, self.days) if vr == "DA" else dates.shift_datetime(text, self.days)

    def text(self, vr: str, text: str) -> str:
        """A text without what could identify anybody, ASCII, within the length of its VR; "" if nothing is left."""
        if text not in self._cleaned:
            cleaned = clean_text(text, self.known)
            cleaned = unicodedata.normalize("NFKD", cleaned).encode("ascii", "ignore").decode().replace("\\", "/")
            self._cleaned[text] = cleaned if any(c.isalnum() for c in cleaned.replace(GAP, "")) else ""
        return self._cleaned[text][: _LENGTHS.get(vr)].strip()

    def code(self, text: str) -> str:
        """A CS: a defined term, or one made of short or listed words that names nobody who is known, or ""."""
        text = text.strip(" \0")
        if text in _TERMS or (_CODE.fullmatch(text) and _is_coded(text) and not self.is_named_in(text)):
            return text
        return text if len(text) <= SHORT and self.text("CS", text) == text else ""

    def technical(self, vr: str, text: str) -> str:
        """A name of a product, kernel, coil or version: tokens with digits, short ones, and words of the vocabulary."""
        text = text.strip(" \0")
        if not text.isascii() or self.is_named_in(text):
            return self.text(vr, text)
        return text if all(self._is_technical(word) for word in text.split()) else self.text(vr, text)

    def _is_technical(self, word: str) -> bool:
        """Whether one word is a published name, looks like a model's number, or is in the vocabulary."""
        return word.lower() in _PRODUCTS or bool(_TECHNICAL.fullmatch(word)) or self.text("UT", word) == word

    def manufacturer(self, vr: str, text: str) -> str:
        """A company's name as it stands when every word of it is a company's, else its listed name, else ""."""
        listed = clean_column("manufacturer", text)
        words = re.findall(r"[a-z]+", text.lower().replace(".", ""))
        known = all(w in _COMPANY or clean_column("manufacturer", w) for w in words) and text.isascii()
        return text.strip(" \0") if listed and known and len(text) <= 64 else str(listed or "")

    def code_value(self, vr: str, text: str) -> str:
        """A code: with a digit or of at most three characters, or a word of the vocabulary."""
        text = text.strip(" \0")
        coded = re.fullmatch(r"[\x21-\x7e]{1,16}", text) and (any(c.isdigit() for c in text) or len(text) <= 3)
        return text if coded and not self.is_named_in(text) else self.text(vr, text)

    def local_code(self, text: str) -> str:
        """A code of somebody's own scheme: by a keyed stand-in where it is a long number, which could be anything."""
        if not re.search(rf"\d{{{_LEAST_ID}}}", text):
            return text
        digest = hmac.digest(self.key, b"local code\0" + normalise(text).encode(), "sha256")
        return "code-" + base64.b32encode(digest[:10]).decode().lower()[: SHORT - 5]

    def scheme(self, vr: str, text: str) -> str:
        """A coding scheme that is listed; any other is somebody's own."""
        text = text.strip(" \0")
        return text if text in _SCHEMES else "99LOCAL" if text else ""


# Unlisted texts with a rule of their own; all others pass the vocabulary.
TECHNICAL: dict[int, Callable[[Person, str, str], str]] = {
    **dict.fromkeys((0x00080070, 0x00181016, 0x00189041, 0x00189050), Person.manufacturer),
    **dict.fromkeys((0x00080100, 0x00080119, 0x00080120), Person.code_value),
    **dict.fromkeys((0x00080102, 0x00080103), Person.scheme),
    **dict.fromkeys(
        (
            0x00081090, 0x00181018, 0x00181020, 0x00181019, 0x00181210, 0x00180024, 0x00189005, 0x00181250, 0x00181251,
            0x00189047, 0x00189100, 0x00181160, 0x00281054, 0x00209056, 0x00201040, 0x00180085, 0x00283003,
        ),
        Person.technical,
    ),
}  # fmt: skip


CODES = frozenset(tag for tag, rule in TECHNICAL.items() if rule is Person.code_value)


def is_listed_scheme(text: str) -> bool:
    """Whether codes of a scheme are published."""
    return text in _SCHEMES


def _is_coded(text: str) -> bool:
    """Whether a code string has no long number but a standard's, and no long word that nobody lists."""
    if re.search(r"\d{5}", text) and not (_STANDARDS.fullmatch(text) or _ROUND.fullmatch(text)):
        return False
    return all(_is_code_word(word) for word in re.findall(r"[A-Z]{5,}", text))


def _is_code_word(word: str) -> bool:
    """Whether a word of a code string is one of the standard's, or of reports, its plural included."""
    known = report_words().known
    return word in terms.CODE_WORDS or word.lower() in known or (word.endswith("S") and word[:-1].lower() in known)


def joined(texts: Sequence[str]) -> str:
    """Values of one element; none at all when all of them are empty."""
    return "\\".join(texts) if any(texts) else ""
