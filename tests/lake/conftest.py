"""A lake in a folder whose name has a space and Chinese characters, and a short way to put rows into it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from radlake.lake.journal import Change
from radlake.lake.parts import write_part
from radlake.lake.store import Lake

Put = Callable[..., None]


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """An empty lake."""
    return Lake.create(tmp_path / "lake of 医院", key_fingerprint="0011aabb")


@pytest.fixture
def put(lake: Lake) -> Put:
    """Commit rows of several tables: `put({"table": [row, ...]}, replaces=[owner, ...])`."""

    def commit(
        rows: Mapping[str, Sequence[dict[str, Any]]],
        *,
        replaces: Sequence[str] = (),
        run: str = "test",
        number: int = -1,
    ) -> None:
        sequence = lake.next_sequence(run) if number < 0 else number
        changes = []
        for table, some in rows.items():
            parts = (write_part(lake.root, lake.private, table, list(some), name=f"p{sequence}"),) if some else ()
            changes.append(Change(table, parts, tuple(replaces)))
        lake.commit(run, sequence, changes)

    return commit
