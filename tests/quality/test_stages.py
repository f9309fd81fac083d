from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest

from radlake.core.image import Geometry, Image
from radlake.core.schema import TABLES, to_table
from radlake.core.stage import Context, Item
from radlake.quality.stages import STAGES


def _item(array: np.ndarray, name: str = "im-a") -> Item:
    context = Context(key=b"k" * 32, objects=SimpleNamespace())
    row = {"series_id": "se-a", "patient_id": "pt-a"}
    return Item(
        "images", name, row, context, images={"original": Image(array, Geometry((1.0,) * array.ndim), kind="ct")}
    )


def test_findings_become_rows_of_the_table():
    rows = STAGES["quality"].function(_item(np.zeros((3, 8, 8))))
    assert {table for table, _ in rows} == {"quality"}
    table = to_table("quality", [r for _, r in rows])
    assert set(table["owner"].to_pylist()) == {"im-a"}
    assert "constant_pixels" in table["check"].to_pylist()


def test_a_fingerprint_becomes_one_row():
    ((table, row),) = STAGES["fingerprint"].function(_item(np.random.default_rng(0).normal(size=(40, 40))))
    assert table == "fingerprints"
    assert row["patient_id"] == "pt-a"
    assert to_table("fingerprints", [row]).num_rows == 1


def test_duplicates_replace_the_table_of_the_lake():
    array = np.random.default_rng(0).normal(size=(40, 40))
    rows = [STAGES["fingerprint"].function(_item(array, name))[0][1] for name in ("im-a", "im-b")]
    kept: dict[str, pa.Table] = {}
    lake = SimpleNamespace(read=lambda name: to_table(name, rows), replace=kept.__setitem__)
    STAGES["duplicates"].function(lake, near=0.9)
    assert kept["duplicates"]["kind"].to_pylist() == ["exact", "exact"]


@pytest.mark.parametrize("name", STAGES)
def test_stages_name_tables_that_exist(name):
    stage = STAGES[name]
    assert stage.name == name
    assert all(table in TABLES for table in stage.adds)


def test_an_image_that_was_not_loaded_is_a_key_error():
    item = _item(np.zeros((8, 8)))
    item.images.clear()
    with pytest.raises(KeyError):
        STAGES["quality"].function(item)
