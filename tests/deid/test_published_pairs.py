"""A published before/after pair, tag by tag: every difference between another cleaner's file and ours has a reason.

The MR series is of the Pseudo-PHI-DICOM-Data of TCIA (Rutherford et al. 2021, Sci Data 8:183), CC BY 4.0; its cleaned
copy was made with the Penn profile.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset

from radlake import deid
from radlake.deid.actions import is_registered
from radlake.deid.profiles import options_of
from radlake.deid.ps315 import Rules, rules_for
from radlake.deid.rows import Profile
from radlake.deid.text import clean_text

_OWN = frozenset({0x00120062, 0x00120063, 0x00120064, 0x00280303})  # what each cleaner says of itself
_IDS = frozenset({0x00100010, 0x00100020, 0x00080050, 0x00200010})


def flat(dataset: Dataset, path: str = "", parent: int = 0) -> dict[str, tuple[DataElement, int]]:
    """Every element that is no sequence by its place, with the sequence it is in."""
    found: dict[str, tuple[DataElement, int]] = {}
    for element in dataset:
        place = f"{path}{element.tag}"
        if element.VR != "SQ":
            found[place] = (element, parent)
            continue
        for number, item in enumerate(element.value):
            found |= flat(item, f"{place}[{number}]", int(element.tag))
    return found


def is_empty(element: DataElement | None) -> bool:
    """Absent, or without a value."""
    return element is None or element.value is None or str(element.value) == ""


def reason(  # noqa: PLR0911 - one line for each reason
    before: DataElement | None, theirs: DataElement | None, ours: DataElement | None, parent: int, rules: Rules
) -> str | None:
    """Why ours differs from theirs; None where there is no good reason."""
    element = before or theirs or ours
    assert element is not None
    tag, action = int(element.tag), rules.action(element.tag, parent)
    if tag in _OWN or parent in _OWN:
        return "says what was done"
    if before is None and ours is None:
        return "added by the other cleaner"
    if element.VR == "UI" and action in {"U", "D", None} and ours is not None and before is not None:
        return "another stand-in for a UID" if ours.value != before.value or is_registered(str(before.value)) else None
    if tag in _IDS:
        return "another stand-in for an id" if before is None or ours is None or ours.value != before.value else None
    if element.VR in {"DA", "TM", "DT"} and action in {"X", "Z", "D", "C", None}:
        return (
            "another rule for dates"
            if ours is None or before is None or ours.value != before.value or element.VR == "TM"
            else None
        )
    if element.tag.is_private:
        return (
            "private"
            if ours is None
            or rules.safe_private(str(element.private_creator), element.tag)
            or element.tag.is_private_creator
            else None
        )
    if action in {"X", "Z", "D"} and (
        is_empty(ours) or (before is not None and ours is not None and ours.value != before.value)
    ):
        return "the standard removes it"
    if (
        action in {"C", None}
        and before is not None
        and not is_empty(ours)
        and ours is not None
        and ours.value != before.value
    ):
        return "a text without what may identify"
    if is_empty(ours) and action in {"C", None} and element.VR in {"LO", "LT", "SH", "ST", "UT", "CS", "AE", "PN"}:
        return "a text of which nothing may stay"
    if ours is not None and before is not None and ours.value == before.value:
        return kept(ours, action)
    return None


def kept(ours: DataElement, action: str | None) -> str | None:
    """Why something stays that the other cleaner removed or changed."""
    if action == "K":
        return "an option keeps it"
    if action is None and ours.VR in {"DS", "IS", "US", "SS", "UL", "SL", "FL", "FD", "AT", "OB", "OW", "CS"}:
        return "a number or code that the standard does not list"
    if ours.VR in {"LO", "LT", "SH", "ST", "UT"} and action in {"C", None}:
        texts = [ours.value] if isinstance(ours.value, str) else list(ours.value)
        technical = action is None  # names of coils, kernels and products have a rule of their own
        return "a text of listed words" if technical or all(clean_text(t) == t for t in texts) else None
    return None


@pytest.mark.parametrize("profile", ["strict", "research"])
def test_every_difference_from_a_published_cleaning_has_a_reason(
    profile: Profile, shared: Path, tmp_path: Path, quiet: None
) -> None:
    folder = shared / "deid" / "tcia_pseudo_phi_mr"
    reasons: Counter[str] = Counter()
    for original in sorted((folder / "original").glob("*.dcm"))[::4]:
        deid.deidentify_file(original, tmp_path / original.name, profile=profile, key=b"k" * 32)
        before, ours = flat(dcmread(original)), flat(dcmread(tmp_path / original.name))
        theirs = flat(dcmread(folder / "deidentified_by_penn_profile" / original.name))
        rules = rules_for(str(before["(0008,0016)"][0].value), options_of(profile))
        for place in before.keys() | theirs.keys() | ours.keys():
            one, two, three = (found.get(place, (None, 0))[0] for found in (before, theirs, ours))
            if (two is None and three is None) or (two is not None and three is not None and two.value == three.value):
                reasons["the same"] += 1
                continue
            parent = next(found[place][1] for found in (before, theirs, ours) if place in found)
            found = reason(one, two, three, parent, rules)
            assert found is not None, f"{place} {(one or two or three).VR}"  # type: ignore[union-attr]
            reasons[found] += 1
    assert reasons["the same"] > 100
    assert len(reasons) > 4
