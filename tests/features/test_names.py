"""The list of features agrees with itself and with what is computed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np

from radlake.features.extract import extract
from radlake.features.families import FAMILIES
from radlake.features.names import (
    AGGREGATED,
    AUTOCORRELATION,
    DIMENSIONED,
    ENCLOSURE,
    FEATURES,
    FOURIER,
    GLCM,
    GLDZM,
    GLRLM,
    GLSZM,
    HISTOGRAM,
    HOG,
    IVH,
    LBP,
    MOMENTS,
    MORPHOLOGY,
    NGLDM,
    NGTDM,
    PART,
    PEAK,
    PLANAR,
    PROPS,
    SLICE,
    STATISTICS,
    TEXTURE,
    Feature,
)
from radlake.features.texture import AGGREGATIONS, DIMENSIONS

PLANES = (PROPS, MOMENTS, FOURIER, LBP, HOG, PART)
TEXTURES = (GLCM, GLRLM, GLSZM, GLDZM, NGTDM, NGLDM)


def test_names_are_unique() -> None:
    tables = (MORPHOLOGY, PLANAR, SLICE, STATISTICS, AUTOCORRELATION, ENCLOSURE, PEAK, HISTOGRAM, IVH, TEXTURE, *PLANES)
    assert len(FEATURES) == sum(map(len, tables))


def test_everything_that_is_listed_is_computed() -> None:
    image, mask = np.arange(60.0).reshape(3, 4, 5), np.ones((3, 4, 5), bool)
    volume = extract(image, mask, families=tuple(FAMILIES), aggregations=AGGREGATIONS, as_dict=True)
    found = {*volume, *extract(image[0], mask[0], as_dict=True)}
    assert found == set(FEATURES)


def test_every_aggregation_has_words() -> None:
    assert tuple(AGGREGATED) == AGGREGATIONS
    assert tuple(DIMENSIONED) == DIMENSIONS
    assert FEATURES["cm_contrast_3D_comb"].title == "contrast, co-occurrence; directions of the volume merged"


def test_compound_units_are_bracketed_before_they_are_raised() -> None:
    energy = Feature("x", None, "x", intensity=2)
    assert energy.unit("Bq/mL", calibrated=True) == "(Bq/mL)2"
    assert energy.unit(None, calibrated=True) == "(a.u.)2"
    assert Feature("x", None, "x", length=-1).unit("HU", calibrated=False) == "px-1"


def test_the_documentation_lists_every_feature_as_the_code_has_it() -> None:
    folder = Path(__file__).parents[2]
    made = subprocess.run(
        [sys.executable, folder / "tools" / "feature_table.py"], check=True, capture_output=True, text=True
    ).stdout
    page = (folder / "docs" / "features.md").read_text(encoding="utf-8")
    assert page[page.index("## Every feature") :] == made, "run tools/feature_table.py --write"
    for table in (MORPHOLOGY, PLANAR, STATISTICS, AUTOCORRELATION, ENCLOSURE, PEAK, HISTOGRAM, IVH, *PLANES, *TEXTURES):
        for feature in table:
            assert f"| `{feature.name}` | {feature.code or ''} |" in made
