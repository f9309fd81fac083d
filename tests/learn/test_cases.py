"""Cases of a lake: what belongs to what, what is known of each, and what cannot be used."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from radlake.core.errors import UsageError
from radlake.core.schema import to_table
from radlake.lake.store import Lake
from radlake.learn.cases import labelled, measured
from tests.learn.conftest import measured_lake


def test_labels_features_and_origin_of_a_case_belong_together(cohort_lake: Lake) -> None:
    found = labelled(cohort_lake, "ill")
    assert (found.unit, len(found.ids), found.names) == ("image", 120, ("form", "size"))
    row = cohort_lake.sql("""
        SELECT l.value AS y, f.value AS size, s.manufacturer, i.patient_id FROM labels l
        JOIN images i ON unit_id = image_id JOIN series s USING (series_id) JOIN features f USING (image_id)
        WHERE unit_id = 'im-007' AND target = 'ill' AND name = 'size'""").to_pylist()[0]
    i = found.ids.tolist().index("im-007")
    assert (found.y[i], found.features[i, 1], found.patients[i]) == (row["y"], row["size"], row["patient_id"])
    assert found.attributes["manufacturer"][i] == row["manufacturer"]
    assert np.isnan(found.features[0, 0])
    assert found.units == {"size": "mm", "form": "1"}


def test_columns_are_given_in_the_order_of_the_model(cohort_lake: Lake) -> None:
    found = labelled(cohort_lake, "ill")
    np.testing.assert_array_equal(found.columns(("size", "form")), found.features[:, ::-1])
    with pytest.raises(UsageError, match="1 of 2 features that the model needs are not there: girth"):
        found.columns(("size", "girth"))


def test_published_roles_and_clusters_reach_their_cases(tmp_path: Path) -> None:
    lake = measured_lake(tmp_path / "lake", patients=3)
    lake.replace("splits", to_table("splits", [
        {"owner": "f", "split_id": "published", "unit": "image", "unit_id": "im-001", "role": "test"},
        {"owner": "s", "split_id": "study", "unit": "image", "unit_id": "im-002", "role": "test", "fold": 1},
    ]))  # fmt: skip
    lake.replace("duplicates", to_table("duplicates", [{"image_id": "im-004", "cluster_id": "du-1", "kind": "near"}]))
    found = measured(lake)
    assert found.roles.tolist() == ["", "test", "", "", "", ""]
    assert found.clusters.tolist() == ["", "", "", "", "du-1", ""]
    assert not len(found.y)


def test_words_are_labels_too(tmp_path: Path) -> None:
    lake = measured_lake(tmp_path / "lake", patients=2)
    lake.replace("labels", to_table("labels", [
        {"owner": "x", "unit": "patient", "unit_id": f"pt-0{i}", "patient_id": f"pt-0{i}", "target": "k", "text": kind}
        for i, kind in enumerate(("adeno", "squamous"))
    ]))  # fmt: skip
    assert labelled(lake, "k").y.tolist() == ["adeno", "adeno", "squamous", "squamous"]


def test_what_cannot_be_used_is_refused_in_words(tmp_path: Path, cohort_lake: Lake) -> None:
    with pytest.raises(UsageError, match=r"no image has both.*labels are amount, grade, ill"):
        labelled(cohort_lake, "absent")
    with pytest.raises(UsageError, match="unit must be one of mask, image"):
        labelled(cohort_lake, "ill", "voxel")
    lake = measured_lake(tmp_path / "lake", patients=2)
    rows = lake.read("labels").to_pylist()
    lake.replace("labels", to_table("labels", [*rows, {**rows[0], "value": 5.0}]))
    with pytest.raises(UsageError, match="contradicts itself"):
        labelled(lake, rows[0]["target"])
