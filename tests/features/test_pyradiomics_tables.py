"""Weighted directions, pairs of one way and thin regions, against PyRadiomics 3.1.0 (Python 3.9) and by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from radlake.features.pyradiomics import execute
from radlake.features.pyradiomics_settings import Parameters, parameters_of
from radlake.features.pyradiomics_tables import directions, joined, maximal_correlation, nearness, one_way, summed
from radlake.features.table_kernels import cooccurrences
from radlake.features.texture import Texture

Z, Y, X = np.indices((5, 7, 6))
IMAGE = ((37 * Z + 11 * Y**2 + 5 * X**3 + 3 * X * Y * Z) % 97).astype(float)
MASK = (Z + 2 * Y + 3 * X) % 7 != 0
SLICE = MASK & (Z == 2)
SPACING = (2.0, 0.8, 1.1)
MEASURES = (
    "glcm_Contrast", "glcm_JointAverage", "glcm_Correlation", "glcm_Imc1", "glcm_MCC", "glcm_MaximumProbability",
    "glrlm_GrayLevelNonUniformity", "glrlm_RunPercentage", "glrlm_RunEntropy",
)  # fmt: skip
# What RadiomicsFeatureExtractor(binWidth=20, additionalInfo=False, **setting) gave for IMAGE and MASK, or SLICE, as
# SimpleITK images with SPACING.
CASES: list[tuple[dict[str, Any], np.ndarray, tuple[float, ...]]] = [
    (
        {"weightingNorm": "manhattan"}, MASK,
        (4.006992497942579, 2.957069395756862, 0.05363865963750432, -0.005748187913613841, 0.08760653284797514,
         0.05638544312315659, 1147.052549033618, 0.8860715416270973, 2.871421021159326),
    ),
    (
        {"weightingNorm": "euclidean"}, MASK,
        (4.037445359782302, 2.9538970268946607, 0.04593390476927447, -0.005759749234891441, 0.09386688156015101,
         0.05405202196458704, 822.6641878832246, 0.8862623712058483, 2.870350576572563),
    ),
    (
        {"weightingNorm": "infinity"}, MASK,
        (4.065915420528129, 2.952340087319247, 0.039158095483707266, -0.006592788198349517, 0.11055542819180536,
         0.05602882499968129, 722.2836434812211, 0.8861739567621921, 2.8703676135035234),
    ),
    (
        {"symmetricalGLCM": False}, MASK,
        (4.2750100163011275, 2.9211984502442068, -0.01565325694606753, -0.07624651670920805, 0.36512814817489647,
         0.08721498549914543, 32.72384443117474, 0.8850427350427351, 2.819573046371148),
    ),
    (
        {"symmetricalGLCM": False, "weightingNorm": "no_weighting"}, MASK,
        (4.259040590405904, 2.9210332103321033, -0.013208459623413469, -0.004209273749303256, 0.09171716005531783,
         0.06346863468634686, 424.4070497344278, 0.885042735042735, 2.875832714688722),
    ),
    (
        {"weightingNorm": "euclidean", "force2D": True}, MASK,
        (4.017532381323054, 2.9546392979781144, 0.05187357607022456, -0.00633741605368402, 0.09309990575070233,
         0.054355048057687545, 150.3003872537716, 0.8808100097273139, 2.884843983493612),
    ),
    (
        {"symmetricalGLCM": False, "weightingNorm": "manhattan", "force2D": True, "force2Ddimension": 1}, MASK,
        (3.177040601345564, 2.909474267214771, 0.22082365140403154, -0.07245909894719063, 0.36949848809275593,
         0.08110984860164479, 301.78740136054427, 0.878136200716846, 2.886692506816091),
    ),
    (
        {"symmetricalGLCM": False, "weightingNorm": "infinity", "distances": [1, 2]}, MASK,
        (4.155466211526333, 2.961245794582989, 0.016484843447297313, -0.011084167877565936, 0.16655218586337653,
         0.06516047647900784, 722.2836434812211, 0.8861739567621921, 2.8703676135035234),
    ),
    (
        {}, SLICE,
        (4.22593906093906, 3.1201906426906425, -0.0030960609384432704, -0.11267618680541865, 0.42460397801273025,
         0.08576756576756576, 6.612486471861471, 0.9027777777777778, 2.6726192013077883),
    ),
    (
        {"weightingNorm": "infinity"}, SLICE,
        (4.329871398715969, 3.124491701987777, -0.014838075754393951, -0.01627762089390218, 0.201814477644419,
         0.06173755298166551, 26.919340329835087, 0.9037940379403795, 2.782865849686181),
    ),
]  # fmt: skip
tables = arrays.arrays(
    np.int64,
    st.integers(2, 5).map(lambda n: (2, n, n)),
    elements=st.integers(0, 9),
).filter(lambda found: bool(found.any(axis=(1, 2)).all()))


def _measured(setting: dict[str, Any], mask: np.ndarray, spacing: tuple[float, ...] = SPACING) -> dict[str, Any]:
    asked = {"setting": {"binWidth": 20, **setting}, "featureClass": {"glcm": None, "glrlm": None}}
    found = execute(IMAGE, mask, parameters_of(asked), spacing=spacing)
    return {name.removeprefix("original_"): value for name, value in found.items()}


@pytest.mark.parametrize(("setting", "mask", "theirs"), CASES)
def test_values_are_those_of_pyradiomics(setting: dict[str, Any], mask: np.ndarray, theirs: tuple[float, ...]) -> None:
    found = _measured(setting, mask)
    # Its small constant in logarithms and denominators leaves less than 1e-9.
    assert [found[name] for name in MEASURES] == pytest.approx(theirs, rel=1e-6)


def test_a_sum_of_directions_of_one_length_is_the_plain_one() -> None:
    cubic = (1.5, 1.5, 1.5)
    plain, weighted = (_measured({"weightingNorm": norm}, MASK, cubic) for norm in ("no_weighting", "infinity"))
    times = {"glrlm_GrayLevelNonUniformity": 1.5, "glrlm_RunLengthNonUniformity": 1.5}  # counts, not shares
    for name, value in plain.items():
        assert weighted[name] == pytest.approx(times.get(name, 1) * value, rel=1e-9), name


def test_pairs_of_one_way_turn_with_the_image() -> None:
    # From the other end of the image every first level is the second: tables are transposed.
    asked = Parameters(binWidth=20, symmetricalGLCM=False, classes=(("glcm", ()),))
    ahead, back = (execute(IMAGE[o, o, o], MASK[o, o, o], asked) for o in (slice(None), slice(None, None, -1)))
    both = execute(IMAGE, MASK, Parameters(binWidth=20, classes=asked.classes))
    one_sided = {f"original_glcm_{name}" for name in ("JointAverage", "SumSquares")}
    for name in set(ahead) - one_sided:
        assert back[name] == pytest.approx(ahead[name], rel=1e-9), name
    for name in ("JointAverage", "SumAverage", "Contrast", "Id", "ClusterShade", "Autocorrelation"):
        tag = f"original_glcm_{name}"
        assert (ahead[tag] + back[tag]) / 2 == pytest.approx(both[tag], rel=1e-9), name
    assert ahead["original_glcm_JointAverage"] != pytest.approx(back["original_glcm_JointAverage"], rel=1e-3)


@settings(max_examples=60)
@given(tables)
def test_measures_of_one_way_of_a_symmetric_table_are_the_compiled_ones(pairs: np.ndarray) -> None:
    compiled = cooccurrences(pairs)
    for place, found in one_way(pairs + pairs.swapaxes(1, 2)).items():
        known = ~np.isnan(compiled[:, place])  # PyRadiomics has numbers where one level has none
        # Its square root makes 1e-8 of the last digit of an information of 0.
        assert found[known] == pytest.approx(compiled[known, place], rel=1e-9, abs=1e-7)


@settings(max_examples=60)
@given(tables)
def test_a_maximal_correlation_is_that_of_its_definition(pairs: np.ndarray) -> None:
    for table in (pairs[0], pairs[0] + pairs[0].T):
        p = table / table.sum()
        first, second = (np.where(p.sum(axis=axis) > 0, p.sum(axis=axis), 1) for axis in (1, 0))
        values = np.sort(np.linalg.eigvals(p / first[:, None] @ (p / second).T).real)
        expected = np.sqrt(max(values[-2], 0))
        # The root makes 1e-8 of the last digit of an eigenvalue of 0.
        assert maximal_correlation(table, symmetrical=False) == pytest.approx(expected, abs=1e-7)
    assert maximal_correlation(pairs[0], symmetrical=True) == pytest.approx(expected, abs=1e-7)


def test_two_levels_one_after_the_other_by_hand() -> None:
    # 1 then 2 twice, 2 then 2 once
    found = one_way(np.array([[[0, 2], [0, 1]]]))
    assert found[0] == pytest.approx([2 / 3])
    assert found[1] == pytest.approx([4 / 3])
    assert found[2] == pytest.approx([2 / 9])
    assert found[10] == pytest.approx([5 / 9])
    assert found[18].tolist() == [1.0]  # the second level is always 2
    assert found[23] == pytest.approx([0], abs=1e-12)  # so it tells nothing of the first


def test_far_directions_weigh_nothing_beside_near_ones_and_as_before_alone() -> None:
    column = np.zeros_like(MASK)
    column[:, 3, 3:5] = True
    thick = _measured({"weightingNorm": "euclidean"}, column, (40.0, 1.0, 1.0))
    plane = _measured({"weightingNorm": "euclidean", "force2D": True}, column, (40.0, 1.0, 1.0))
    assert thick["glcm_Contrast"] == pytest.approx(plane["glcm_Contrast"], rel=1e-12)
    assert nearness(np.array([1.0, 40.0])).tolist() == [1.0, 0.0]
    column[:, :, 4] = False  # pairs across slices only, each of a weight that no double holds
    assert np.isfinite(_measured({"weightingNorm": "euclidean"}, column, (40.0, 1.0, 1.0))["glcm_Contrast"])


@settings(max_examples=40)
@given(arrays.arrays(np.uint16, (3, 4, 3), elements=st.integers(0, 2)).filter(lambda grid: bool(grid.any())))
def test_directions_count_whose_lines_meet_two_voxels(grid: np.ndarray) -> None:
    texture = Texture(np.pad(grid, 1), 2, grid > 0)
    pairs, _ = summed(texture, deep=True)
    found = joined(texture, pairs, deep=True)
    places = np.argwhere(grid)
    apart = (places[:, None] - places).reshape(-1, 3)
    in_line = {tuple(np.sign(o).tolist()) for o in apart if len(set(np.abs(o).tolist()) - {0}) == 1}
    assert [step in in_line for step in directions(deep=True)] == found.tolist()


def test_a_region_without_two_voxels_in_line_has_no_pairs_and_no_runs() -> None:
    apart = np.zeros_like(MASK)
    apart[0, 0, 0] = apart[1, 2, 3] = True
    found = _measured({"weightingNorm": "euclidean"}, apart)
    assert all("too few" in str(value) for value in found.values())
