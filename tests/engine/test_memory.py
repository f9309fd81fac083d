"""Peak memory of whole runs against `--memory`, as `benchmarks/memory.py` measures it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "memory.py"


@pytest.mark.soak
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_ct_of_600_slices_and_a_mixed_folder_keep_the_budget_of_two_gibibytes() -> None:
    found = subprocess.run([sys.executable, BENCHMARK, "--memory", "2GiB"], capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout + found.stderr
