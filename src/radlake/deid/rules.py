"""Own rules on top of a profile, from YAML: mask, replace, generalise, bin, hash or drop an attribute or a column.

    profile: research
    options: [retain-device-identity]
    dicom:
      PatientAge: {bin: 10}                     # 047Y becomes 040Y
      PatientWeight: {generalise: 5}            # to the nearest multiple
      InstitutionName: hash                     # keyed: equal names stay equal
      StudyDescription: drop
      "0019,100C": {replace: "1000"}
    tables:
      zip: {mask: 3}                            # 66123 becomes 661**
      diagnosis: {generalise: {C34.1: C34, C34.2: C34}}     # what is not named becomes "other"
      income: {bin: [0, 20000, 40000]}

A rule sees the value of the source and is the last word on it: who masks a name decides how much of it stays.
"""

from __future__ import annotations

import base64
import difflib
import hashlib
import hmac
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

import yaml

from radlake.core.errors import UsageError
from radlake.deid.profiles import PROFILES, options_of
from radlake.deid.pseudonyms import normalise
from radlake.deid.rows import Profile

Action = Literal["mask", "replace", "generalise", "bin", "hash", "drop"]
ACTIONS: tuple[Action, ...] = get_args(Action)
OTHER = "other"
_WITHOUT_ARGUMENT = frozenset({"hash", "drop"})
_BY_TEXT = frozenset({"drop", "replace", "mask", "hash"})
_SECTIONS = ("profile", "options", "dicom", "tables")
_TAG = re.compile(r"\(?([0-9A-Fa-f]{4}),? ?([0-9A-Fa-f]{4})\)?")


@dataclass(frozen=True)
class Rule:
    """What happens to a value.

    Parameters
    ----------
    action : {"mask", "replace", "generalise", "bin", "hash", "drop"}
    argument : int, float, str, tuple of float, dict or None
        mask: characters that stay; replace: the new value; generalise: a multiple or a dict; bin: a width or edges.
    """

    action: Action
    argument: Any = None


@dataclass(frozen=True)
class Rulebook:
    """A profile, options beside it, and own rules by tag and by column.

    Parameters
    ----------
    profile : {"strict", "research"}
    options : tuple of str
    dicom : dict of tag number -> Rule
    tables : dict of column name -> Rule
    """

    profile: Profile = "strict"
    options: tuple[str, ...] = ()
    dicom: Mapping[int, Rule] = field(default_factory=dict)
    tables: Mapping[str, Rule] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The profile, and where own rules are on top of it a digest that tells one set of them from another."""
        if not (self.dicom or self.tables):
            return self.profile
        told = repr((sorted(self.dicom.items()), sorted(self.tables.items())))
        return f"{self.profile} with own rules {hashlib.sha256(told.encode()).hexdigest()[:12]}"


def rulebook(profile: str | Path | Rulebook) -> Rulebook:
    """The rulebook that a profile's name, a file or a rulebook itself stands for.

    Raises
    ------
    UsageError
        When there is no such profile or file, or the file does not hold rules; the message names the nearest word.

    Examples
    --------
    >>> rulebook("research").profile
    'research'
    """
    if isinstance(profile, Rulebook):
        return profile
    if profile in PROFILES:
        return Rulebook(profile)
    if isinstance(profile, str) and Path(profile).suffix.lower() not in {".yaml", ".yml"}:
        raise UsageError(f"no profile {profile!r}; there are {', '.join(PROFILES)}, and own rules as FILE.yaml")
    try:
        text = Path(profile).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise UsageError(f"the rules {profile} cannot be read") from None
    return parse(text)


def parse(text: str) -> Rulebook:
    """A rulebook from YAML.

    Raises
    ------
    UsageError
        When it is no YAML, or a section, attribute, action or argument is none.

    Examples
    --------
    >>> parse("dicom: {PatientAge: {bin: 10}, InstitutionName: hash}").dicom[0x00101010]
    Rule(action='bin', argument=10)
    """
    try:
        found = yaml.safe_load(text) or {}
    except yaml.YAMLError:
        raise UsageError("the rules are no YAML; see docs/deidentify.md for an example") from None
    if not isinstance(found, dict):
        raise UsageError(f"expected the sections {', '.join(_SECTIONS)}")
    for name in found:
        _check_word(str(name), _SECTIONS, "section")
    profile, options = found.get("profile", "strict"), found.get("options") or []
    if not isinstance(options, list):
        raise UsageError("options: expected a list of names")
    options_of(profile, [str(o) for o in options])
    dicom = {_tag(str(name)): _rule(str(name), told) for name, told in _section(found, "dicom")}
    for tag, rule in dicom.items():
        _check_fits(tag, rule)
    tables = {str(name): _rule(str(name), told) for name, told in _section(found, "tables")}
    return Rulebook(profile, tuple(map(str, options)), dicom, tables)


def apply(rule: Rule, value: str, key: bytes, name: str) -> str | None:
    """A text by a rule; None where it goes, or where a number was needed and there is none.

    Parameters
    ----------
    rule : Rule
    value : str
    key : bytes
        Makes the stand-ins of `hash`.
    name : str
        Of the attribute or column: equal values of two columns have two stand-ins.

    Examples
    --------
    >>> [apply(Rule(*r), "66123", b"k", "zip") for r in (("mask", 3), ("bin", 1000), ("generalise", 5000))]
    ['661**', '66000-67000', '65000']
    """
    if rule.action in _BY_TEXT or isinstance(rule.argument, Mapping):
        return _by_text(rule, value, key, name)
    number = number_of(value)
    if number is None:
        return None
    if rule.action == "generalise":
        return f"{rule.argument * math.floor(number / rule.argument + 0.5):.10g}"
    ends = edges_of(rule, number)
    return None if ends is None else f"{ends[0]:g}-{ends[1]:g}"


def _by_text(rule: Rule, value: str, key: bytes, name: str) -> str | None:
    """A text by a rule that needs no number."""
    if rule.action == "drop":
        return None
    if rule.action == "replace":
        return str(rule.argument)
    if rule.action == "mask":
        kept = int(rule.argument) if len(value) > rule.argument else 0  # a short value would stay whole
        return value[:kept] + "*" * (len(value) - kept)
    if rule.action == "generalise":
        return str(rule.argument.get(value.strip(), OTHER))
    digest = hmac.digest(key, b"own rule\0" + f"{name}\0{normalise(value)}".encode(), "sha256")
    return "code-" + base64.b32encode(digest[:10]).decode().lower()[:11]  # an SH holds no more than sixteen


def edges_of(rule: Rule, number: float) -> tuple[float, float] | None:
    """The bin that a number lies in, its lower edge belonging to it; None outside all bins."""
    if isinstance(rule.argument, tuple):
        pairs = zip(rule.argument, rule.argument[1:], strict=False)
        return next(((low, high) for low, high in pairs if low <= number < high), None)
    low = rule.argument * math.floor(number / rule.argument)
    return low, low + rule.argument


def number_of(text: str) -> float | None:
    """A finite decimal number; None for any other text.

    Examples
    --------
    >>> number_of(" 1.5 "), number_of("nan"), number_of("Smith")
    (1.5, None, None)
    """
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def apply_to_element(rule: Rule, vr: str, value: str, key: bytes, tag: int) -> str | None:
    """A value of a DICOM element by a rule, as its VR writes it: ages keep their unit, bins are their lower edges.

    Examples
    --------
    >>> apply_to_element(Rule("bin", 10), "AS", "047Y", b"k", 0x00101010)
    '040Y'
    >>> apply_to_element(Rule("bin", 10), "DS", "71.5", b"k", 0x00101030)
    '70'
    """
    unit = value.strip(" \0")[-1:] if vr == "AS" else ""
    text = value.strip(" \0").removesuffix(unit)
    if rule.action == "bin":
        number = number_of(text)
        ends = None if number is None else edges_of(rule, number)
        found = None if ends is None else f"{ends[0]:.10g}"
    else:
        found = apply(rule, text, key, f"{tag:08X}")
    if vr == "AS" and found is not None and rule.action in {"bin", "generalise"}:
        return f"{int(float(found)):03}{unit}" if number_of(found) is not None else None
    return found


def _section(found: Mapping[str, Any], name: str) -> list[tuple[Any, Any]]:
    """Rules of one section."""
    section = found.get(name) or {}
    if not isinstance(section, dict):
        raise UsageError(f"{name}: expected a rule for each name, such as {{PatientAge: {{bin: 10}}}}")
    return list(section.items())


def _rule(name: str, told: Any) -> Rule:
    """One rule from YAML: a word, or a word with its argument."""
    if isinstance(told, str):
        told = {told: None}
    if not isinstance(told, dict) or len(told) != 1:
        raise UsageError(f"{name}: expected one of {', '.join(ACTIONS)}, such as {{bin: 10}}")
    (action, argument), = told.items()  # fmt: skip
    _check_word(str(action), ACTIONS, "action")
    if isinstance(argument, list):
        argument = tuple(argument)
    if isinstance(argument, dict):
        argument = {str(old): str(new) for old, new in argument.items()}
    if not _fits(action, argument):
        raise UsageError(f"{name}: {_EXPECTED[action]}")
    return Rule(action, argument)


_EXPECTED = {
    "mask": "mask needs the number of characters that stay, such as {mask: 3}",
    "replace": "replace needs the new value, such as {replace: REMOVED}",
    "generalise": "generalise needs a multiple or a value for each value, such as {generalise: 5}",
    "bin": "bin needs a width or ascending edges, such as {bin: 10} or {bin: [0, 18, 65]}",
    "hash": "hash needs nothing else",
    "drop": "drop needs nothing else",
}


def _fits(action: str, argument: Any) -> bool:
    """Whether an action can use an argument."""
    if action in _WITHOUT_ARGUMENT:
        return argument is None
    if action == "replace":
        return isinstance(argument, str | int | float) and not isinstance(argument, bool)
    if action == "mask":
        return isinstance(argument, int) and not isinstance(argument, bool) and argument >= 0
    if action == "generalise" and isinstance(argument, dict):
        return bool(argument)
    if action == "bin" and isinstance(argument, tuple):
        numbers = all(
            _is_positive(v) or v in (0, 0.0) or _is_positive(-v) for v in argument if isinstance(v, int | float)
        )
        rising = all(isinstance(v, int | float) for v in argument) and list(argument) == sorted(set(argument))
        return len(argument) > 1 and numbers and rising
    return _is_positive(argument)


def _is_positive(value: Any) -> bool:
    """A finite number above zero."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and value > 0


def _tag(name: str) -> int:
    """Number of an attribute by keyword or tag."""
    from pydicom.datadict import keyword_dict, tag_for_keyword

    if found := _TAG.fullmatch(name):
        return int(found[1] + found[2], 16)
    _check_word(name, list(keyword_dict), "attribute")
    return int(tag_for_keyword(name) or 0)


def _check_fits(tag: int, rule: Rule) -> None:
    """Refuse rules that an attribute's VR cannot follow."""
    from pydicom.datadict import dictionary_has_tag, dictionary_VR

    vr = dictionary_VR(tag) if dictionary_has_tag(tag) else "UN"
    name = f"({tag >> 16:04X},{tag & 0xFFFF:04X})"
    numbers = vr in {"DS", "IS", "AS"}
    texts = vr in {"AE", "CS", "LO", "LT", "PN", "SH", "ST", "UC", "UT", "UN"}
    if rule.action != "drop" and not (numbers or texts or (rule.action == "replace" and vr in {"DA", "DT", "TM"})):
        raise UsageError(f"{name} has VR {vr}: it can only be dropped")
    if numbers and (rule.action in {"mask", "hash"} or isinstance(rule.argument, dict)):
        raise UsageError(f"{name} holds numbers: use bin, generalise with a multiple, replace or drop")
    if (
        texts
        and vr != "UN"
        and (rule.action == "bin" or (rule.action == "generalise" and not isinstance(rule.argument, dict)))
    ):
        raise UsageError(f"{name} holds text: use mask, replace, hash, drop or generalise with a value for each value")


def _check_word(word: str, known: Sequence[str], what: str) -> None:
    """Refuse an unknown word and name the nearest."""
    if word not in known:
        near = difflib.get_close_matches(word, known, n=1)
        raise UsageError(f"no {what} {word!r}; " + (f"did you mean {near[0]}?" if near else "see docs/deidentify.md"))
