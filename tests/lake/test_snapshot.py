from __future__ import annotations

from collections.abc import Callable

import pytest

from radlake.lake import delta, journal
from radlake.lake import snapshot as module
from radlake.lake.errors import LakeLockedError
from radlake.lake.journal import Entry
from radlake.lake.store import Lake

Put = Callable[..., None]


def test_a_state_names_its_version_and_files(lake: Lake, put: Put) -> None:
    put({"quality": [{"owner": "a"}]})
    states = lake.snapshot()
    assert states["quality"].version == 1
    assert len(states["quality"].files) == 1
    assert states["features"].version == -1
    assert states["sources"].view.name == "private.sources"


def test_readers_see_no_half_of_a_commit(lake: Lake, put: Put) -> None:
    put({"quality": [{"owner": "a"}]})
    # A commit to two tables that got as far as the first one.
    journal.write(lake.root / "journal", Entry("run", 0, (), {"quality": 1, "features": -1}))
    folders = lake.folders()
    put_part = delta.open_or_create(folders["features"], "features")
    delta.commit(put_part, folders["features"], delta.Edit(), app="run/features", sequence=0)
    assert lake.snapshot()["features"].version == -1
    assert lake.snapshot()["quality"].version == 1


def test_a_commit_between_two_tables_makes_the_reader_read_again(
    lake: Lake, put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    put({"quality": [{"owner": "a"}], "features": [{"owner": "a"}]})
    real, calls = delta.open_table, []

    def opened(folder: object, version: int | None = None) -> object:
        found = real(folder, version)  # type: ignore[arg-type]
        if not calls:
            calls.append(folder)
            monkeypatch.setattr(delta, "open_table", real)
            put({"quality": [{"owner": "b"}], "features": [{"owner": "b"}]})
        return found

    monkeypatch.setattr(delta, "open_table", opened)
    states = lake.snapshot()
    assert calls
    assert {len(states[t].files) for t in ("quality", "features")} == {2}


def test_a_lake_that_never_rests_is_an_error_not_a_hang(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    stamps = iter(range(10_000))
    monkeypatch.setattr(journal, "versions_before", lambda _: (next(stamps), {}))
    monkeypatch.setattr(module, "_ATTEMPTS", 3)
    with pytest.raises(LakeLockedError, match="changes faster"):
        lake.snapshot()
