"""The list of features agrees with itself and with what is computed."""

from __future__ import annotations

import numpy as np

from radlake.features.extract import FAMILIES, extract
from radlake.features.names import AUTOCORRELATION, FEATURES, MORPHOLOGY, PLANAR, SLICE, STATISTICS, Feature


def test_names_are_unique() -> None:
    assert len(FEATURES) == len(MORPHOLOGY) + len(PLANAR) + len(SLICE) + len(STATISTICS) + len(AUTOCORRELATION)


def test_everything_that_is_listed_is_computed() -> None:
    image, mask = np.arange(60.0).reshape(3, 4, 5), np.ones((3, 4, 5), bool)
    found = {*extract(image, mask, families=tuple(FAMILIES), as_dict=True), *extract(image[0], mask[0], as_dict=True)}
    assert found == set(FEATURES)


def test_compound_units_are_bracketed_before_they_are_raised() -> None:
    energy = Feature("x", None, "x", intensity=2)
    assert energy.unit("Bq/mL", calibrated=True) == "(Bq/mL)2"
    assert energy.unit(None, calibrated=True) == "(a.u.)2"
    assert Feature("x", None, "x", length=-1).unit("HU", calibrated=False) == "px-1"
