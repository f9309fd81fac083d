"""Memory of a piece of work, measured by what the system says of this process."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from radlake.learn.deep import peak as module
from radlake.learn.deep.peak import peak

MIB = 1 << 20


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not tell")
def test_what_was_taken_and_given_back_is_measured() -> None:
    with peak() as found:
        np.ones(64 * MIB, np.uint8).sum()
    if found.bytes is None:
        pytest.skip("this system does not allow it")
    assert 60 * MIB < found.bytes < 96 * MIB


def test_where_the_system_does_not_tell_nothing_is_claimed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PROCESS", tmp_path / "none")
    with peak() as found:
        pass
    assert found.bytes is None
