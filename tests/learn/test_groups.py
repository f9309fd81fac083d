"""The step groups: clusters and points in the tables of a lake, the same again, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer

from radlake.core.errors import UsageError
from radlake.core.schema import to_table
from radlake.lake.store import Lake
from radlake.learn.groups import found, groups


def tumours(root: Path, n: int = 120) -> Lake:
    """Breast tumours with ten measurements each, benign or malignant; the second half from another scanner."""
    lake = Lake.create(root, key_fingerprint="test")
    data = load_breast_cancer()
    rows: dict[str, list[dict[str, object]]] = {name: [] for name in ("features", "labels", "images", "series")}
    for i in range(n):
        image, about = f"im-{i:03d}", {"owner": "x", "patient_id": f"pt-{i:03d}"}
        maker = "GE" if i < n // 2 else "SIEMENS"
        rows["series"].append(about | {"series_id": f"se-{i:03d}", "manufacturer": maker})
        rows["images"].append(about | {"image_id": image, "series_id": f"se-{i:03d}"})
        kind = str(data.target_names[data.target[i]])
        rows["labels"].append(about | {"unit": "image", "unit_id": image, "target": "kind", "text": kind})
        for name, value in zip(data.feature_names[:10], data.data[i, :10], strict=True):
            rows["features"].append(
                {"owner": "x", "image_id": image, "name": str(name), "value": value, "unit": "1", "settings_id": "s"}
            )
    for name, some in rows.items():
        lake.replace(name, to_table(name, some))
    return lake


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    made = tumours(tmp_path_factory.mktemp("groups") / "lake")
    groups(made, clusters=3)
    return made


def test_every_case_has_a_point_and_a_cluster(lake: Lake) -> None:
    (row,) = lake.read("models").to_pylist()
    told = json.loads(row["settings"])
    assert (row["owner"], row["target"], told["cases"], told["features"]) == ("groups:image", None, 120, 10)
    assert told["k"] == 2
    assert max(r["stability"] for r in told["table"] if r["k"] == 2) > 0.8
    points = lake.read("curves").to_pylist()
    assert len({p["stratum"] for p in points}) == 120
    clusters = np.array([p["value"] for p in lake.read("predictions").to_pylist()])
    assert set(clusters) == {0.0, 1.0}
    assert (clusters == 0).sum() >= (clusters == 1).sum()


def test_the_same_lake_gives_the_same_tables(lake: Lake) -> None:
    before = {name: lake.read(name) for name in ("predictions", "curves")}
    groups(lake, clusters=3)
    assert all(lake.read(name).equals(table) for name, table in before.items())
    assert lake.read("models").num_rows == 1


def test_wrong_requests_are_told(lake: Lake, tmp_path: Path) -> None:
    for options, words in (
        ({"unit": "patient"}, "unit must be one of mask, image"),
        ({"by": "tsne"}, "by must be one of pca, umap"),
        ({"clusters": 1}, "too few to look for clusters"),
    ):
        with pytest.raises(UsageError, match=words):
            found(lake, **{"unit": None, "clusters": 3, "by": "pca", "seed": 0} | options)
    with pytest.raises(UsageError, match="0 cases are too few"):
        groups(Lake.create(tmp_path / "empty", key_fingerprint="x"))
