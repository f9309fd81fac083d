"""Kernels are compiled once, wherever the cache may lie, and never at import of the room."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import radlake
from radlake.imaging.kernels import compiled as module
from radlake.imaging.kernels.compiled import compiled

PROGRAM = """
import numpy as np
from radlake.imaging.kernels import running_mean
print(running_mean.mean_of_boxes(np.arange(5, dtype=np.int16)[None, None], (1, 1, 3), whole=True).tolist())
print(sum(running_mean._slide.stats.cache_hits.values()))
"""


def _run(code: str, **environment: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={**os.environ, **environment}
    )
    return done.stdout.split("\n")


def test_importing_the_room_loads_no_compiler() -> None:
    code = "import sys, radlake, radlake.imaging.stages, radlake.imaging.morphology; print('numba' in sys.modules)"
    assert _run(code)[0] == "False"


@pytest.mark.slow
def test_a_read_only_installation_keeps_its_kernels_elsewhere(tmp_path: Path) -> None:
    installed = tmp_path / "site"
    shutil.copytree(Path(radlake.__file__).parent, installed / "radlake", ignore=shutil.ignore_patterns("__pycache__"))
    for folder in (installed / "radlake" / "imaging" / "kernels", installed):
        folder.chmod(0o555)
    place = {"PYTHONPATH": str(installed), "NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    first, second = (_run(PROGRAM, **place) for _ in range(2))
    assert first[0] == second[0] == "[[[1, 2, 3]]]"
    assert (first[1], second[1]) == ("0", "2")  # both signatures: the second process compiles nothing
    assert not list(installed.rglob("*.nbi"))


def test_without_any_place_for_a_cache_kernels_still_run(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def njit(signatures: list[str], *, cache: bool, **_: object) -> object:
        calls.append(cache)
        if cache:
            raise RuntimeError("cannot cache function: no locator available")
        return lambda function: function

    monkeypatch.setattr(module.numba, "njit", njit)
    assert compiled("int64(int64)")(abs)(-3) == 3
    assert calls == [True, False]
