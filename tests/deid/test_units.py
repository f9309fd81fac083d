"""Keys of tables as text."""

from __future__ import annotations

from typing import Any

import pytest

from radlake.core.schema import to_table
from radlake.deid.units import Catalogue, find_units, key_text


@pytest.mark.parametrize(
    ("value", "text"),
    [(123, "123"), (123.0, "123"), (1.5, "1.5"), ("007", "007"), (" a ", "a"), (None, ""), (float("nan"), "")],
)
def test_a_key_is_the_same_text_whatever_type_its_column_has(value: Any, text: str) -> None:
    assert key_text(value) == text


def test_paths_need_the_private_sources() -> None:
    with pytest.raises(ValueError, match="private/sources"):
        find_units(["a"], Catalogue(to_table("instances", [])), key=b"k" * 32, on="path")
