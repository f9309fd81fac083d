"""Names of regions (organs, targets) without identities: raw labels of SEG, RTSTRUCT and label files are free text.

A label keeps the words of it that anatomy and treatment planning use (AAPM TG-263 vocabulary) and small numbers.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from radlake.deid.vocabulary import report_words

_MOST_WORDS = 8
_LONGEST = 256  # characters of a label that are looked at
_LEVEL = re.compile(r"[CTLS]\d{1,2}")  # a vertebra, or T1 and T2 of MR
_TOKEN = re.compile(rf"(?<![A-Za-z]){_LEVEL.pattern}(?!\d)|[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")
_SPELLINGS = {
    "l": "left", "lt": "left", "lft": "left", "sin": "left", "r": "right", "rt": "right", "rgt": "right",
    "dex": "right",
    "bilat": "bilateral", "sup": "superior", "inf": "inferior", "ant": "anterior", "post": "posterior",
    "lat": "lateral", "med": "medial", "prox": "proximal", "dist": "distal", "oesophagus": "esophagus",
    "tumour": "tumor", "ln": "node", "lns": "nodes", "sc": "cord", "oars": "oar", "lungs": "lungs",
}  # fmt: skip
# AAPM TG-263 (2018) prefixes and structure words, ICRU volumes, and planning words that are no English words.
_PLANNING = frozenset({
    "gtv", "gtvp", "gtvn", "ctv", "ctvp", "ctvn", "ptv", "itv", "igtv", "oar", "prv", "pitv", "btv", "hrctv",
    "ircttv", "opt",
    "boost", "bolus", "avoid", "avoidance", "couch", "iso", "eval", "dose", "ring", "roi", "voi", "ext", "external",
    "skin", "bowelbag", "brainstem", "spinalcord", "spinalcanal", "opticnerve", "optic", "chiasm", "parotids",
    "submandibular",
    "glnd", "bst", "cn", "cauda", "equina", "lad", "hand", "foot", "wall", "canal", "cord", "bone", "bones", "bud",
    "edema", "et", "net", "ncr", "ed", "whole", "body", "vb", "sib", "high", "low", "ant", "hippocampus", "mri",
    "pet", "ct",
    "mr", "t1", "t2", "flair", "adc", "suv", "small", "long", "short", "white", "gray", "grey", "black",
})  # fmt: skip


_NOT_NAMES_OF_REGIONS = frozenset(
    {"rgb", "id", "mrn", "patient", "name", "dr", "by", "of", "the", "and", "date", "phone"}
)


def region_name(raw: str, number: int) -> str:
    """A safe name for a region: its known words, lower case, joined by underscores; else its place in the file.

    Parameters
    ----------
    raw : str
        Label as the file has it.
    number : int
        Place of the region in its file, from 1.

    Examples
    --------
    >>> [region_name(raw, 3) for raw in ("GTV-1", "Lt Lung", "vertebrae_L1", "Miller plan 4711", "Smith")]
    ['gtv_1', 'left_lung', 'vertebrae_l1', 'plan', 'region_3']
    """
    kept: list[str] = []
    for token in _TOKEN.findall(raw[:_LONGEST]):
        word = _word(token)
        # One number at most, after a word: three of them could be a date.
        if word and (not word.isdigit() or (kept and not any(w.isdigit() for w in kept))):
            kept.append(word)
    return "_".join(kept[:_MOST_WORDS]) or f"region_{number}"


def region_names(raw: Sequence[str]) -> list[str]:
    """Safe names of all regions of a file, in file order. Two may be equal: the place tells them apart."""
    return [region_name(name, n) for n, name in enumerate(raw, 1)]


def _word(token: str) -> str:
    """A token as it may be shown; empty when it may not."""
    word = token.lower()
    if _LEVEL.fullmatch(token):
        return word
    if word.isdigit():
        return str(int(word)) if len(word) <= 2 else ""
    word = _SPELLINGS.get(word, word)
    return word if is_known(word) else ""


def is_known(word: str) -> bool:
    """Whether a lower-case word is one of anatomy, imaging or planning, and nobody's name.

    Examples
    --------
    >>> is_known("liver"), is_known("smith")
    (True, False)
    """
    known, names_too = report_words()
    named = word in known and word not in names_too and word not in _NOT_NAMES_OF_REGIONS and len(word) > 1
    return named or word in _PLANNING
