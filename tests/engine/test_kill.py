"""A run that is killed at any moment and started again ends with the tables of one that was left alone."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.engine.conftest import Place

_DRIVER = """
import sys
from radlake.engine.api import run
from radlake.engine.local import Local
if __name__ == "__main__":
    run(None, sys.argv[1], sys.argv[2], key_file=sys.argv[3], engine=Local(2), strict=True)
"""


def _start(place: Place, script: Path) -> subprocess.Popen[bytes]:
    arguments = [sys.executable, str(script), str(place.source), str(place.folder / "killed"), str(place.key_file)]
    return subprocess.Popen(arguments, start_new_session=True)


def _killed_at(place: Place, script: Path, seconds: float) -> bool:
    """Start a run, kill its driver after so long; True when it was still at work."""
    process = _start(place, script)
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        process.wait()
        return True
    assert process.returncode == 0
    return False


def _prove(done: Place, script: Path, *, kills: int, seed: int) -> None:
    """Kill runs of one lake until enough died, begin anew whenever one came through, compare every finished lake."""
    script.write_text(_DRIVER)
    rng = random.Random(seed)
    expected = done.tables()
    started = time.monotonic()
    assert not _killed_at(done, script, 300)
    whole = time.monotonic() - started
    died = finished = 0
    while died < kills:
        if _killed_at(done, script, rng.uniform(0.1, 1.0) * whole):
            died += 1
            continue
        finished += 1
        assert done.tables("killed") == expected
        shutil.rmtree(done.folder / "killed")
    assert not _killed_at(done, script, 300)
    assert done.tables("killed") == expected
    visible = [p for p in (done.folder / "killed").rglob("*.parquet") if "/.tmp" in str(p)]
    assert not visible
    shutil.rmtree(done.folder / "killed")


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="needs SIGKILL")
def test_twenty_kills_change_nothing(done: Place, tmp_path: Path) -> None:
    _prove(done, tmp_path / "driver.py", kills=20, seed=11)


@pytest.mark.soak
@pytest.mark.skipif(os.name != "posix", reason="needs SIGKILL")
def test_two_hundred_kills_change_nothing(done: Place, tmp_path: Path) -> None:
    _prove(done, tmp_path / "driver.py", kills=200, seed=12)
