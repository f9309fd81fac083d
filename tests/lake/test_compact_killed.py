"""Merging small files: killed at any moment it changes no row, and older versions stay to be read."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from deltalake import DeltaTable

from radlake.lake.maintain import compact, orphans, sweep
from radlake.lake.store import Lake

DRIVER = Path(__file__).with_name("driver_of_compact_test.py")
TABLES = ("features", "quality", "sources")
Put = Callable[..., None]


@pytest.mark.slow
@pytest.mark.parametrize("kills", [3, pytest.param(60, marks=pytest.mark.soak)])
def test_a_killed_compaction_is_harmless(lake: Lake, put: Put, kills: int) -> None:
    rng = random.Random(4)
    seen = 0
    for _ in range(kills):
        for _ in range(4):
            put({t: [{"owner": f"im-{seen}"}] for t in TABLES})
            seen += 1
        with subprocess.Popen([sys.executable, str(DRIVER), str(lake.root)], stdout=subprocess.PIPE) as driver:
            assert driver.stdout is not None
            assert driver.stdout.readline() == b"ready\n"
            time.sleep(rng.uniform(0.0, 0.15))
            driver.kill()
        for table in TABLES:
            rows = sorted(Lake.open(lake.root).read(table, columns=["owner"])["owner"].to_pylist())
            assert rows == sorted(f"im-{n}" for n in range(seen))
    compact(lake)
    sweep(lake)
    assert orphans(lake) == []
    assert [len(lake.snapshot()[t].files) for t in TABLES] == [1, 1, 1]
    assert lake.read("features").num_rows == seen


def test_an_older_version_is_read_after_a_compaction(lake: Lake, put: Put) -> None:
    for number in range(3):
        put({"features": [{"owner": f"im-{number}"}]})
    compact(lake)
    older = DeltaTable(lake.root / "tables" / "features", version=2).to_pyarrow_dataset()
    assert sorted(older.to_table(columns=["owner"])["owner"].to_pylist()) == ["im-0", "im-1"]
