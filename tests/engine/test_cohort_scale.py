"""Nyul's scale in pipelines: fitted by one study, applied by another, equal on any number of workers."""

from __future__ import annotations

import pytest

from radlake.engine.local import Local
from radlake.engine.pipeline import Pipeline
from tests.engine.conftest import Place

FIT = """
name: fit
steps:
- deid
- segment.foreground
- nyul.landmarks: {kind: ct, cohort: chest}
- nyul.scale: {cohort: chest}
"""
APPLY = """
name: apply
steps:
- deid
- segment.foreground
- nyul.apply: {scale: SCALE, kind: ct}
- features: {image: nyul, mask: foreground, families: [intensity]}
"""


def test_a_scale_is_fitted_and_applied_alike_by_any_number_of_workers(place: Place) -> None:
    for workers, name in ((0, "alone"), (2, "together")):
        place.run(name, study=Pipeline.from_yaml(FIT), engine=Local(workers))
    alone, together = (place.tables(name) for name in ("alone", "together"))
    assert alone["landmarks"] == together["landmarks"]
    assert alone["scales"] == together["scales"]
    lake = place.lake("together")
    [scale] = lake.read("scales").to_pylist()
    assert scale["images"] == lake.read("landmarks").num_rows == 2
    place.run("together", study=Pipeline.from_yaml(APPLY.replace("SCALE", scale["object"])), engine=Local(0))
    query = "SELECT value FROM features JOIN images USING (image_id) WHERE modality = 'CT' AND name = 'stat_median'"
    medians = place.lake("together").sql(query)["value"].to_pylist()
    # the median of an image inside the mask is a landmark, which lies where the scale says
    middle = scale["scale"][scale["percentiles"].index(50.0)]
    assert medians == pytest.approx([middle] * 2, abs=1e-3)
