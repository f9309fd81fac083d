"""The journal of a search: what was finished is there again, what is damaged or of another search is not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from radlake.learn.journal import Journal, forget, identity


def test_finished_work_and_the_time_of_it_are_there_again(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "部 分", "a")
    assert (journal.allowed, journal.elapsed) == (frozenset(), 0.0)
    journal.keep("all/0/svm/1", {"decision": np.array([[1.5, np.nan]])}, {"fit_s": 0.25, "network": None})
    journal.note(["probe/svm", "all/0/svm/1"], 12.5)
    again = Journal(tmp_path / "部 分", "a")
    assert (again.allowed, again.elapsed) == ({"probe/svm", "all/0/svm/1"}, 12.5)
    found = again.find("all/0/svm/1")
    assert found is not None
    np.testing.assert_array_equal(found[0]["decision"], [[1.5, np.nan]])
    assert found[1] == {"fit_s": 0.25, "network": None}
    assert again.find("all/0/svm/2") is None
    forget(tmp_path / "部 分")
    assert not (tmp_path / "部 分").exists()


def test_a_journal_of_another_search_is_begun_anew_and_other_files_stay(tmp_path: Path) -> None:
    journal = Journal(tmp_path, "a")
    journal.keep("work", {}, {})
    journal.note(["work"], 1.0)
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "cohort.npz").write_bytes(b"mine too")
    other = Journal(tmp_path, "b")
    assert (other.find("work"), other.allowed, other.elapsed) == (None, frozenset(), 0.0)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["cohort.npz", "notes.txt"]


def test_what_a_search_left_before_its_first_note_is_no_work_of_another(tmp_path: Path) -> None:
    Journal(tmp_path, "a").keep("work", {}, {})
    (kept,) = tmp_path.iterdir()
    content = kept.read_bytes()
    other = Journal(tmp_path, "b")
    kept.parent.mkdir(exist_ok=True)
    kept.write_bytes(content)
    assert other.find("work") is None


def test_damaged_work_is_done_again(tmp_path: Path) -> None:
    journal = Journal(tmp_path, "a")
    journal.keep("work", {"x": np.arange(1000.0)}, {"n": 1})
    (path,) = tmp_path.glob("*.npz")
    for damage in (path.read_bytes()[:300], b"", b"no archive"):
        path.write_bytes(damage)
        assert journal.find("work") is None
    (tmp_path / "journal.json").write_text("[")
    assert Journal(tmp_path, "a").allowed == frozenset()


@given(arrays(st.sampled_from([np.float32, np.float64, np.int64]), array_shapes()), st.text(max_size=8))
def test_arrays_keep_their_bits(values: np.ndarray, work: str) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        journal = Journal(Path(folder), "a")
        journal.keep(work, {"values": values}, {})
        found = journal.find(work)
    assert found is not None
    assert (found[0]["values"].dtype, found[0]["values"].tobytes()) == (values.dtype, values.tobytes())


def test_a_search_is_named_by_data_and_options() -> None:
    assert identity("x", {"seed": 1, "models": None}) == identity("x", {"models": None, "seed": 1})
    assert len({identity("x", {"seed": 1}), identity("y", {"seed": 1}), identity("x", {"seed": 2})}) == 3
