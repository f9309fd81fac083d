"""Words on pictures that may stay: marks of side, projection and technique, which identify nobody.

The list is closed. A text stays only when every word of it is listed; one word more, and all of it goes.
"""

from __future__ import annotations

import re

# Side and position markers of radiography, projections (PS3.3 C.8.7, CID 4010), and technique as consoles print it.
ALLOWED = frozenset({
    "l", "r", "lt", "rt", "left", "right", "a", "p", "ap", "pa", "lat", "lateral", "ll", "rl", "rll", "rml", "lll",
    "portable", "mobile", "upright", "erect", "supine", "prone", "sitting", "semi", "semiupright", "semierect",
    "standing", "decubitus", "decub", "rao", "lao", "rpo", "lpo", "obl", "oblique", "axial", "cc", "mlo", "ml", "lm",
    "rcc", "lcc", "rmlo", "lmlo", "insp", "exp", "inspiration", "expiration", "inspiratory", "expiratory",
    "flexion", "extension", "neutral", "weight", "bearing", "swimmers", "odontoid", "towne", "waters",
    "head", "feet", "foot", "anterior", "posterior", "superior", "inferior", "medial", "h", "f", "s", "i",
    "cm", "mm", "khz", "mhz", "hz", "kv", "ma", "mas",
})  # fmt: skip
_WORD = re.compile(r"[^\W_]+")


def is_allowed(text: str) -> bool:
    """Whether a recognised text is made of listed marks only.

    Examples
    --------
    >>> is_allowed("Semi-Upright"), is_allowed("L"), is_allowed("L SMITH"), is_allowed("")
    (True, True, False, False)
    """
    words = _WORD.findall(text.casefold())
    return bool(words) and all(word in ALLOWED for word in words)
