"""Normalisation: by hand, scikit-image for matching, SimpleITK for N4; landmarks survive being saved."""

from __future__ import annotations

import json

import numpy as np
import pytest
import SimpleITK
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from skimage.exposure import match_histograms

from radlake.core.fault import ItemError
from radlake.core.image import Geometry, Image
from radlake.imaging.enhance import Landmarks, apply_nyul, fit_nyul, match_histogram, n4, z_score

RNG = np.random.default_rng(6)
BRAIN = RNG.gamma(4.0, 30.0, (6, 20, 20))


def test_z_score_by_hand() -> None:
    array = np.array([[1.0, 2.0, 3.0, 50.0]])
    assert z_score(array, mask=[[1, 1, 1, 0]]).tolist() == [[-1.0, 0.0, 1.0, 48.0]]  # type: ignore[arg-type]


@settings(max_examples=30)
@given(arrays.arrays(np.int16, st.integers(3, 60), elements=st.integers(-3000, 3000)))
def test_z_scores_have_mean_0_and_deviation_1(values: np.ndarray) -> None:
    if np.ptp(values) == 0:
        return
    result = z_score(values).astype(float)
    assert abs(result.mean()) < 1e-5
    assert result.std(ddof=1) == pytest.approx(1, abs=1e-5)


def test_padding_takes_no_part_and_stays_recognisable() -> None:
    image = Image(np.array([[1, 2, 3, -1024]], np.int16), Geometry((1.0, 1.0)), kind="ct", unit="HU", padding=-1024)
    result = z_score(image)
    assert result.array[0, :3].tolist() == [-1, 0, 1]
    assert result.array[0, 3] == result.padding == -1026
    assert (result.unit, result.window) == ("a.u.", None)


def test_matching_is_scikit_images() -> None:
    image = RNG.integers(0, 200, (30, 40)).astype(np.int16)
    other = np.rint(RNG.gamma(3, 90, (25, 50))).astype(np.int16)
    np.testing.assert_allclose(match_histogram(image, other), match_histograms(image, other), atol=0.5)
    floats = match_histogram(BRAIN, BRAIN[::-1] * 3 + 2)
    np.testing.assert_allclose(floats, BRAIN * 3 + 2, rtol=1e-5)


def test_matching_takes_the_unit_of_the_reference_and_leaves_nan() -> None:
    reference = Image(np.array([[5.0, 6.0]]), Geometry((1.0, 1.0)), unit="SUVbw")
    result = match_histogram(Image(np.array([[np.nan, 1.0, 2.0]]), Geometry((1.0, 1.0))), reference)
    np.testing.assert_array_equal(result.array, [[np.nan, 5.0, 6.0]])
    assert result.unit == "SUVbw"


@settings(max_examples=20)
@given(st.floats(0.01, 100.0), st.floats(-1000, 1000))
def test_nyul_undoes_another_gain_and_offset(gain: float, offset: float) -> None:
    landmarks = fit_nyul([BRAIN, BRAIN * 3 - 10])
    expected = apply_nyul(BRAIN, landmarks)
    np.testing.assert_allclose(apply_nyul(BRAIN * gain + offset, landmarks), expected, atol=1e-2)


def test_landmarks_reach_their_place_and_the_ends_go_on() -> None:
    landmarks = fit_nyul([BRAIN, BRAIN**1.5, np.sqrt(BRAIN)])
    assert (landmarks.scale[0], landmarks.scale[-1]) == (0.0, 100.0)
    result = apply_nyul(BRAIN**1.2, landmarks)
    np.testing.assert_allclose(np.percentile(result, landmarks.percentiles), landmarks.scale, atol=0.2)
    assert result.max() > 100
    order = np.argsort(BRAIN, axis=None)
    assert np.all(np.diff(result.ravel()[order]) >= 0)


def test_landmarks_are_fitted_and_applied_inside_masks() -> None:
    inside = np.zeros(BRAIN.shape, bool)
    inside[2:4] = True
    dirty = np.where(inside, BRAIN, 1e6)
    landmarks = fit_nyul([dirty], masks=[inside])
    assert landmarks == fit_nyul([BRAIN[2:4]])
    assert np.array_equal(apply_nyul(dirty, landmarks, mask=inside)[2:4], apply_nyul(BRAIN[2:4], landmarks))


def test_landmarks_survive_json() -> None:
    landmarks = fit_nyul([BRAIN, BRAIN**1.3])
    assert Landmarks.from_json(json.loads(json.dumps(landmarks.to_json()))) == landmarks
    for bad in ({"percentiles": [1, 2], "scale": [1]}, {"percentiles": [2, 1], "scale": [0, 1]}):
        with pytest.raises(ValueError, match="ascending"):
            Landmarks.from_json(bad)


def test_equal_percentiles_are_one_landmark() -> None:
    mostly = np.concatenate([np.zeros(95), np.arange(1.0, 6.0)])
    result = apply_nyul(mostly, Landmarks((1.0, 50.0, 99.0), (0.0, 40.0, 100.0)))
    assert np.isfinite(result).all()
    assert result[0] == 0.0


def _shaded() -> tuple[np.ndarray, np.ndarray]:
    z, y, x = np.indices((12, 32, 32))
    head = (y - 16) ** 2 + (x - 16) ** 2 < 180
    tissue = np.where((x // 6 + y // 6) % 2, 100.0, 160.0) + RNG.normal(0, 3, z.shape)
    return np.where(head, tissue * np.exp((x - 16) / 40), 0.0).astype(np.float32), head


def test_n4_is_simpleitks() -> None:
    array, head = _shaded()
    image, mask = SimpleITK.GetImageFromArray(array), SimpleITK.GetImageFromArray(head.astype(np.uint8))
    for picture in (image, mask):
        picture.SetSpacing((1.0, 1.0, 3.0))
    corrector = SimpleITK.N4BiasFieldCorrectionImageFilter()
    corrector.SetMaximumNumberOfIterations([20, 20])
    theirs = SimpleITK.GetArrayFromImage(corrector.Execute(image, mask))
    ours = n4(array, mask=head, shrink=1, iterations=(20, 20), spacing=(3, 1, 1))
    np.testing.assert_allclose(ours, theirs, rtol=2e-3, atol=0.1)


def test_a_slice_kept_as_a_volume_has_the_same_field() -> None:
    plane = _shaded()[0][6]
    assert np.array_equal(n4(plane[None], shrink=1, spacing=(3, 1, 1))[0], n4(plane, shrink=1))
    with pytest.raises(ItemError) as problem:
        n4(plane[16:17])
    assert "two axes" in problem.value.hint


def test_n4_evens_out_a_field() -> None:
    array, head = _shaded()
    even = n4(Image(array, Geometry((3.0, 1.0, 1.0)), kind="mr"), shrink=2)
    found = np.log(array[head] / even.array[head])
    assert np.corrcoef(found, np.indices(head.shape)[2][head])[0, 1] > 0.97  # the field grows along x
    assert even.array.dtype == np.float32
    assert np.array_equal(even.array, n4(array, shrink=2, spacing=(3, 1, 1)))


@pytest.mark.parametrize(
    "call",
    [
        z_score,
        lambda a: fit_nyul([a]),
        lambda a: apply_nyul(a, Landmarks((1.0, 99.0), (0.0, 1.0))),
        n4,
    ],
)
@pytest.mark.parametrize("array", [np.full((4, 4), 7.0), np.full((4, 4), np.nan), np.zeros((0, 4))])
def test_no_contrast_is_a_fault(call: object, array: np.ndarray) -> None:
    with pytest.raises(ItemError) as problem:
        call(array)  # type: ignore[operator]
    assert problem.value.code == "empty_mask"


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ItemError, match="does not lie"):
        z_score(BRAIN, mask=np.ones((2, 2)))
    with pytest.raises(ItemError):
        match_histogram(np.zeros((0, 2)), BRAIN)
    with pytest.raises(ValueError, match="at least one image"):
        fit_nyul([])
    with pytest.raises(ValueError, match="percentiles"):
        fit_nyul([BRAIN], percentiles=(50, 10))
    with pytest.raises(ValueError, match="shrink"):
        n4(BRAIN, shrink=0)
