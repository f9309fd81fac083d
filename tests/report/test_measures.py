"""Feature distributions."""

from __future__ import annotations

import numpy as np
import pytest

from radlake.lake.store import Lake
from radlake.report.measures import measures
from radlake.report.tables import Tables, look
from tests.report.conftest import fill


def test_a_group_is_one_modality_and_one_kind_of_mask(cohort_tables: Tables) -> None:
    found = measures(cohort_tables)
    assert [(g.title, g.regions) for g in found.groups] == [("regions", 120), ("CT, automatic regions", 12)]
    (volume,) = found.groups[1].features
    assert (volume["title"], volume["unit"], volume["quartiles"]) == ("volume of the mesh", "mm³", "5.5 [2.75, 8.25]")


def test_features_without_a_value_are_counted_by_reason(cohort_tables: Tables) -> None:
    assert measures(cohort_tables).missing == [{"reason": "no voxels", "n": 1, "regions": 1}]


def test_masks_are_counted_by_source(cohort_tables: Tables) -> None:
    (row,) = measures(cohort_tables).masks
    assert (row["words"], row["n"], row["names"], row["rois"]) == ("automatic", 12, 1, "foreground")


@pytest.mark.parametrize(("values", "drawn"), [(range(7), False), ([3.0] * 50, False), (range(100), True)])
def test_few_or_equal_values_are_not_drawn(empty: Lake, values: list[float], drawn: bool) -> None:
    rows = [{"owner": "x", "mask_id": f"m{k}", "name": "f", "value": float(v)} for k, v in enumerate(values)]
    fill(empty, {"features": rows})
    with look(empty) as tables:
        found = measures(tables)
    assert bool(found.groups) is drawn
    assert bool(found.small) is not drawn


def test_bins_agree_with_numpy_between_the_outer_percentiles(empty: Lake) -> None:
    values = np.random.default_rng(0).normal(size=1000)
    rows = [{"owner": "x", "mask_id": f"m{k}", "name": "f", "value": float(v)} for k, v in enumerate(values)]
    fill(empty, {"features": rows})
    with look(empty) as tables:
        svg = measures(tables).groups[0].features[0]["figure"]
    expected, _ = np.histogram(values, bins=24, range=tuple(np.quantile(values, [0.01, 0.99])))
    heights = [
        float(part.split("v")[1].split("h")[0])
        for part in svg.split('class="bar" d="')[1].split('"')[0].split("z")[:-1]
    ]
    np.testing.assert_allclose(
        heights, expected[expected > 0] / expected.max() * 62, atol=0.051
    )  # one decimal is drawn


def test_values_that_are_not_finite_are_left_out(empty: Lake) -> None:
    rows = [{"owner": "x", "mask_id": f"m{k}", "name": "f", "value": v} for k, v in enumerate([1.0, np.nan, np.inf])]
    fill(empty, {"features": rows})
    with look(empty) as tables:
        assert measures(tables).small[0].regions == 1
