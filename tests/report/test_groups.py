"""Groups in the report: colours for clusters, labels and scanners, and a sentence that says what lies apart."""

from __future__ import annotations

from pathlib import Path

import pytest

from radlake.lake.store import Lake
from radlake.learn.groups import groups as look_for
from radlake.report.groups import groups
from radlake.report.page import contents, render
from radlake.report.tables import Tables, look
from tests.learn.test_groups import tumours


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    made = tumours(tmp_path_factory.mktemp("groups") / "lake")
    look_for(made, clusters=2)
    return made


def test_cases_are_shown_by_cluster_label_and_scanner(lake: Lake) -> None:
    with look(lake) as tables:
        (found,) = groups(tables)
    assert found.title == "Images: 120 cases, 10 features"
    assert found.answer.startswith("The cases fall into 2 groups")
    assert [p.title for p in found.pictures] == ["cluster", "the label “kind”", "maker of the scanner"]
    cluster, label, maker = found.pictures
    assert cluster.about.startswith("they lie apart")
    assert label.about.startswith("they lie apart")
    assert maker.about.startswith("they lie on one another")
    assert [key["name"].split(" (")[0] for key in label.keys] == ["benign", "malignant"]
    assert label.svg.count("<circle") == 120
    assert "points to the right stand mainly for more" in found.seen
    assert len(found.rows) == 3
    page = render(contents(lake))
    assert 'id="groups"' in page
    assert "Target:" not in page  # groups are no study


def test_drift_between_scanners_is_called_so(tmp_path: Path) -> None:
    from radlake.report.groups import _apart

    assert _apart("maker of the scanner", 0.5).endswith("a model may learn this instead of the disease")
    assert _apart("the label “kind”", 0.5) == "they lie apart (50% of the spread lies between them)"
    assert _apart("the published split", 0.1).startswith("they are shifted a little")


def test_a_lake_without_groups_has_no_section(empty_tables: Tables, empty: Lake) -> None:
    assert groups(empty_tables) == []
    assert 'href="#groups"' not in render(contents(empty))
