from __future__ import annotations

import pytest
from pydicom.sr.codedict import codes

from radlake.core.errors import UsageError
from radlake.deid.profiles import BASIC, OPTIONS, method_codes, options_of


def test_the_codes_are_those_of_context_group_7050() -> None:
    published = {(c.value, c.meaning) for name in codes.cid7050.dir() for c in [getattr(codes.cid7050, name)]}
    assert {BASIC, *OPTIONS.values()} == published


def test_whole_dates_replace_the_moved_ones_of_research() -> None:
    found = options_of("research", ["retain-full-dates"])
    assert "retain-full-dates" in found
    assert "retain-modified-dates" not in found
    assert method_codes(found)[0] == BASIC


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["retain-uid"], "did you mean retain-uids"),
        (["retain-full-dates", "retain-modified-dates"], "exclude each other"),
    ],
)
def test_options_that_cannot_be_are_refused(options: list[str], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        options_of("strict", options)


def test_an_unknown_profile_is_refused() -> None:
    with pytest.raises(UsageError, match="strict"):
        options_of("loose")  # type: ignore[arg-type]
