from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

DRIVER = Path(__file__).with_name("driver_of_full_disk_test.py")


def on_a_small_disk(folder: Path, command: str) -> subprocess.CompletedProcess[str]:
    """Run a command where the folder is a disk of 6 MB that nobody else sees and that goes away with the command."""
    mount = f"mount -t tmpfs -o size=6m tmpfs {shlex.quote(str(folder))} && {command}"
    return subprocess.run(
        ["unshare", "--mount", "--map-root-user", "sh", "-c", mount], capture_output=True, text=True, check=False
    )


@pytest.mark.slow
def test_a_disk_that_fills_up_at_any_point_of_a_commit_loses_nothing(tmp_path: Path) -> None:
    try:
        if on_a_small_disk(tmp_path, "true").returncode:
            pytest.skip("this machine does not let a test have a disk of its own")
    except FileNotFoundError:
        pytest.skip("unshare is not installed")
    done = on_a_small_disk(tmp_path, shlex.join([sys.executable, "-W", "error", str(DRIVER), str(tmp_path)]))
    assert done.returncode == 0, done.stderr
    failed, whole, ended = map(int, done.stdout.split())
    assert failed > 0
    assert whole > 0
    assert ended > 0
