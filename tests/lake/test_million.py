"""A large catalogue: memory stays flat while it grows, and its answers are right."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from radlake.lake.store import Lake
from tests.lake.catalogue import MODALITIES, SHARES, SPACINGS

# In a process of its own, because a peak is of a process and never falls.
GROW = """
import json, os, resource, sys, time
from radlake.lake.store import Lake
from tests.lake.catalogue import QUERIES, catalogue

if __name__ == "__main__":
    lake = Lake.create(sys.argv[1], key_fingerprint="00")
    catalogue(lake, 1)  # imports, and the first tables
    before = time.process_time()
    catalogue(Lake.create(sys.argv[1] + " large", key_fingerprint="00"), int(sys.argv[2]))
    cost = time.process_time() - before
    large, asked = Lake.open(sys.argv[1] + " large"), {}
    for name, text in QUERIES.items():
        began = time.perf_counter()
        rows = large.sql(text).to_pylist()
        asked[name] = [time.perf_counter() - began, rows]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"peak_mib": peak, "cpu_s": cost, "asked": asked}))
"""


def grown(folder: Path, series: int) -> dict[str, Any]:
    """What it took to catalogue so many series and to ask for them."""
    script = folder / "grow.py"
    script.write_text(GROW)
    command = [sys.executable, str(script), str(folder / f"lake {series}"), str(series)]
    root = str(Path(__file__).parents[2])
    environment = {**os.environ, "PYTHONPATH": ":".join([root, *filter(None, sys.path)])}
    found = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    answer: dict[str, Any] = json.loads(found.stdout)
    return answer


def check_answers(folder: Path, series: int, found: dict[str, Any]) -> None:
    """Counts as they were drawn, each once."""
    lake = Lake.open(folder / f"lake {series} large")
    counts = {r["modality"]: r["n"] for r in found["asked"]["count by modality"][1]}
    assert counts == Counter(lake.read("series", columns=["modality"])["modality"].to_pylist())
    assert sum(counts.values()) == series
    for modality, share in zip(MODALITIES, SHARES, strict=True):
        assert abs(counts[modality] / series - share) < 5 * (share / series) ** 0.5  # five standard deviations
    assert [r["n"] for r in found["asked"]["a patient's studies"][1]] == [4, 4]
    assert found["asked"]["95th percentile of spacing"][1] == [{"z": max(SPACINGS)}]
    assert lake.sql("SELECT count(DISTINCT series_id) AS n FROM images")["n"].to_pylist() == [series]


def test_ten_times_the_rows_take_no_more_memory(tmp_path: Path) -> None:
    small, large = grown(tmp_path, 10_000), grown(tmp_path, 100_000)
    check_answers(tmp_path, 10_000, small)
    check_answers(tmp_path, 100_000, large)
    assert large["peak_mib"] <= 1.5 * small["peak_mib"]


@pytest.mark.soak
def test_a_million_series_are_catalogued_in_flat_memory(tmp_path: Path) -> None:
    small, large = grown(tmp_path, 100_000), grown(tmp_path, 1_000_000)
    check_answers(tmp_path, 1_000_000, large)
    assert large["peak_mib"] <= 1.5 * small["peak_mib"]
    print(json.dumps({"100,000": small, "1,000,000": large}, indent=1))
