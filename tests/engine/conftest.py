"""Fixtures of the engine's tests: a key, an archive, and the lake that a run makes of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from radlake.core.schema import TABLES, stable_columns
from radlake.engine.api import run
from radlake.engine.local import Local
from radlake.engine.run import Summary
from radlake.lake.store import Lake
from tests import archive


@dataclass
class Place:
    """Where a test's archive, key and lakes are."""

    folder: Path

    @property
    def source(self) -> Path:
        return self.folder / "the archive"

    @property
    def key_file(self) -> Path:
        return self.folder / "key"

    def run(self, name: str = "lake", **options: Any) -> Summary:
        """The default study into a lake of that name."""
        options.setdefault("engine", Local(0))
        options.setdefault("strict", True)
        return run(options.pop("study", None), self.source, self.folder / name, key_file=self.key_file, **options)

    def lake(self, name: str = "lake") -> Lake:
        return Lake.open(self.folder / name)

    def tables(self, name: str = "lake") -> dict[str, list[str]]:
        """Every table's rows as sorted text, without the wall-clock columns; of `runs` each kind once."""
        lake = self.lake(name)
        found = {}
        for table in (t for t in TABLES if stable_columns(t)):
            rows = [str(row) for row in lake.read(table, columns=stable_columns(table)).to_pylist()]
            found[table] = sorted(set(rows) if table == "runs" else rows)
        return found


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """An archive of 23 files, nothing run yet."""
    found = Place(tmp_path)
    archive.build(found.source)
    return found


@pytest.fixture(scope="session")
def done(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """An archive and the lake made of it; not to be changed."""
    found = Place(tmp_path_factory.mktemp("done"))
    archive.build(found.source)
    found.run()
    return found
