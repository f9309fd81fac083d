"""The measurements on a GPU run from end to end, in a tiny form, where there is none."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np

BENCHMARK = Path(__file__).parents[3] / "benchmarks" / "learning_gpu.py"


def test_throughput_and_recipe_are_measured_in_a_tiny_form(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for name in ("pneumoniamnist", "breastmnist"):
        parts = {
            f"{part}_{what}": rng.integers(0, 256, (40, 28, 28), np.uint8) if what == "images" else np.arange(40) % 2
            for part in ("train", "test")
            for what in ("images", "labels")
        }
        np.savez(tmp_path / f"{name}.npz", **parts)
    command = [sys.executable, str(BENCHMARK), "--tiny", "--device", "cpu", "--seeds", "1", "--data", str(tmp_path)]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr
    assert "images a second by the trainer" in found.stdout
    assert found.stdout.count("AUC") == 4
    assert "published 0.944 / 0.854" in found.stdout
