"""The guide's examples run, and its table lists the families that there are."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

from radlake.learn.families import FAMILIES

GUIDE = Path(__file__).parents[2] / "docs" / "learning.md"


def test_the_examples_of_the_guide_are_true() -> None:
    failed, tried = doctest.testfile(str(GUIDE), module_relative=False)
    assert tried > 8
    assert failed == 0


def test_the_guide_lists_every_family_with_its_grade() -> None:
    rows = re.findall(r"^\| `([a-z-]+)` \|.*\| ([A-D]) \|$", GUIDE.read_text(encoding="utf-8"), re.MULTILINE)
    assert dict(rows) == {name: family.grade for name, family in FAMILIES.items()}
