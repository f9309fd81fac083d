from __future__ import annotations

from pathlib import Path

import pytest

from radlake.core.errors import UsageError
from radlake.engine.anonymity import anonymity
from radlake.formats.tabular import read_table

ROWS = """age,sex,zip,diagnosis
21,F,66123,flu
22,M,66124,flu
25,F,66125,asthma
40,M,66126,flu
41,F,66127,flu
47,M,66128,asthma
"""


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_file_is_generalised_to_a_k(suffix: str, tmp_path: Path) -> None:
    source = tmp_path / "患者 1.csv"
    source.write_text(ROWS, encoding="utf-8")
    assert anonymity(str(source), ["age", "sex", "zip"], ["diagnosis"]).k == 1
    out = tmp_path / f"safe{suffix}"
    found = anonymity(str(source), ["age", "sex", "zip"], ["diagnosis"], reach=3, out=out)
    assert (found.k, found.rows) == (3, 6)
    assert found.diversity == {"diagnosis": 2}
    assert read_table(str(out))["diagnosis"].to_pylist() == read_table(str(source))["diagnosis"].to_pylist()


def test_requests_that_make_no_sense_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(ROWS)
    with pytest.raises(UsageError, match="belong together"):
        anonymity(str(tmp_path / "a.csv"), ["age"], [], reach=3)
    with pytest.raises(UsageError, match=r"\.parquet or \.csv"):
        anonymity(str(tmp_path / "a.csv"), ["age"], [], reach=3, out=tmp_path / "x.xlsx")
    with pytest.raises(UsageError):
        anonymity(str(tmp_path / "absent.csv"), ["age"], [])
