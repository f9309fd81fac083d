"""Names of regions as the user asks for them."""

from __future__ import annotations

from pathlib import Path

import pytest

from radlake.engine.rois import BadAliases, called, fits, listed, read_aliases


def test_the_first_alias_that_fits_names_a_region(tmp_path: Path) -> None:
    path = tmp_path / "别名 names.csv"
    path.write_text("pattern,name\nGTV*,tumor\n*_1,first\n", encoding="utf-8-sig")
    aliases = read_aliases(path)
    assert [called(n, aliases) for n in ("gtv_1", "lung_1", "liver")] == ["tumor", "first", "liver"]


def test_patterns_look_at_the_name_in_the_file_and_at_the_one_it_goes_by() -> None:
    aliases = {"gtv*": "tumor"}
    assert fits("gtv_1", ["TUMOR"], aliases)
    assert fits("gtv_1", ["gtv_?"], aliases)
    assert not fits("gtv_1", ["gtv"], aliases)
    assert fits("anything", [], aliases)


@pytest.mark.parametrize(("text", "said"), [(b"a,b\n1,2\n", "needs the columns"), (b"\xff\xfe\x00pattern", "no CSV")])
def test_a_table_that_is_none_is_told(tmp_path: Path, text: bytes, said: str) -> None:
    path = tmp_path / "names.csv"
    path.write_bytes(text)
    with pytest.raises(BadAliases, match=said):
        read_aliases(path)
    with pytest.raises(BadAliases, match="cannot be read"):
        read_aliases(tmp_path)


def test_long_lists_are_cut() -> None:
    assert listed(f"n{i:02}" for i in range(25)).endswith("n19 and 5 more")
