"""The tables of DICOM PS3.15 Annex E: what happens to an attribute, a content item or a private attribute.

The data is `vocabulary/ps315.json` (written by tools/ps315.py). Here are the look-ups and the precedence: an option
that retains (K) goes before one that cleans (C), and both go before the Basic Profile, whose compound codes are settled
by the attribute's Type in the object's IOD.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import Any, Literal

from radlake.deid.vocabulary import FOLDER

_REMEMBERED = 10_000  # places; real objects have hundreds, hostile ones as many as they like
Action = Literal["X", "Z", "D", "K", "C", "U"]


@cache
def table() -> Mapping[str, Any]:
    """The tables as they are stored."""
    found: dict[str, Any] = json.loads((FOLDER / "ps315.json").read_text(encoding="utf-8"))
    return found


def settle(code: str, kind: str | None) -> Action:
    """The action that a code of the Basic Profile means for an attribute of a Type.

    Parameters
    ----------
    code : str
        Such as "X/Z/D" (PS3.15 table E.1-1a).
    kind : {"1", "2", "3"} or None
        Type in the IOD, conditional ones without their C. None: unknown, then the attribute stays present.

    Examples
    --------
    >>> settle("X/Z/D", "3"), settle("X/Z/D", "2"), settle("X/Z/D", "1"), settle("X/Z", None)
    ('X', 'Z', 'D', 'Z')
    """
    actions = code.split("/")
    if actions[-1] == "U*":  # a sequence of references: with new UIDs they still resolve and identify nobody
        return "U"
    if kind == "3":
        return actions[0]  # type: ignore[return-value]
    return "Z" if kind == "2" and "Z" in actions else actions[-1]  # type: ignore[return-value]


@dataclass
class Rules:
    """Actions for one kind of object under chosen options.

    Parameters
    ----------
    sop_class : str
        UID of the object's SOP class: it decides the Types.
    options : frozenset of str
        Names of `profiles.OPTIONS`.

    Examples
    --------
    >>> rules = Rules("1.2.840.10008.5.1.4.1.1.2", frozenset({"retain-uids"}))
    >>> rules.action(0x00100010), rules.action(0x0020000D), rules.action(0x00280010)
    ('Z', 'K', None)
    """

    sop_class: str
    options: frozenset[str]
    _found: dict[tuple[int, int], Action | None] = field(default_factory=dict)

    def action(self, tag: int, parent: int = 0) -> Action | None:
        """Action for a public attribute inside a sequence (0: at the top); None where the table does not list it."""
        place = (parent, tag)
        if place not in self._found:
            if len(self._found) >= _REMEMBERED:
                self._found.clear()
            self._found[place] = self._look_up(tag, parent)
        return self._found[place]

    def content(self, scheme: str, code: str, value_type: str) -> Action | None:
        """Action for a content item of structured content by its concept name (table E.3.4-1); None if not listed."""
        rule = table()["content"].get(f"{scheme}|{code}|{value_type}")
        return None if rule is None else self._by_option(rule[1]) or settle(rule[0], None)

    def is_safe_creator(self, creator: str) -> bool:
        """Whether any private attribute of a creator may stay."""
        return "retain-safe-private" in self.options and creator in table()["safe_private"]

    def safe_private(self, creator: str, tag: int) -> str | None:
        """VR of a private attribute that is known to be safe (table E.3.10-1); None for any other."""
        if not self.is_safe_creator(creator):
            return None
        vr: str | None = table()["safe_private"][creator].get(f"{tag >> 16:04X},{tag & 0xFF:02X}")
        return vr

    def _look_up(self, tag: int, parent: int) -> Action | None:
        rule = table()["rules"].get(listed_as(tag))
        if rule is None:
            return None
        basic, by_option = rule
        return self._by_option(by_option) or settle(basic, self._type(tag, parent) if "/" in basic else None)

    def _by_option(self, by_option: Mapping[str, str]) -> Action | None:
        """What the chosen options say: keep before clean."""
        said = {action for option, action in by_option.items() if option in self.options}
        return "K" if "K" in said else "C" if "C" in said else None

    def _type(self, tag: int, parent: int) -> str | None:
        """Strictest Type that the modules of the IOD give; 3 where they lack the attribute; None for an unknown IOD."""
        modules = table()["iods"].get(self.sop_class)
        if modules is None:
            return None
        place = f"{f'{parent:08X}' if parent else ''}/{tag:08X}"
        return min((table()["modules"][m].get(place, "3") for m in modules), default="3")


@lru_cache(maxsize=64)
def rules_for(sop_class: str, options: frozenset[str]) -> Rules:
    """The rules for a kind of object; their look-ups are remembered from file to file."""
    return Rules(sop_class, options)


def listed_as(tag: int) -> str:
    """How the table names a tag: repeating groups by their pattern.

    Examples
    --------
    >>> listed_as(0x50020010), listed_as(0x60023000), listed_as(0x60020010)
    ('50xxxxxx', '60xx3000', '60020010')
    """
    group, element = tag >> 16, tag & 0xFFFF
    if group & 0xFF01 == 0x5000:
        return "50xxxxxx"
    if group & 0xFF01 == 0x6000 and element in {0x3000, 0x4000}:
        return f"60xx{element:04X}"
    return f"{tag:08X}"
