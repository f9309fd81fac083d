"""Image types, resampling and distances against values of PyRadiomics 3.1.0 (Python 3.9), and by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from radlake.core.fault import ItemError
from radlake.core.image import Geometry, Image
from radlake.features.pyradiomics import execute, rows
from radlake.features.pyradiomics_images import IMAGE_TYPES, placed, responses
from radlake.features.pyradiomics_settings import IMAGE_TYPES as NAMES
from radlake.features.pyradiomics_settings import Parameters, parameters_of
from radlake.formats.read import read_image

RNG = np.random.default_rng(2)
IMAGE = RNG.normal(20, 60, (9, 12, 11))
SPACING = (2.0, 1.0, 1.0)
MASK = np.zeros(IMAGE.shape, bool)
MASK[2:7, 3:9, 3:8] = True

# lung1, bins of 25, of LoG 5, of Wavelet 10, of LBP2D 1: mean, variance, contrast of pairs, strength.
LUNG = {
    "exponential": (0.8880122966572258, 0.06564653300072461, 0.0, 0.0),
    "gradient": (144.77784223425488, 10424.1917237277, 18.223792390689887, 1.477543750605143),
    "lbp-2D": (3.7968936678614096, 1.7317466231020788, 3.818742921690657, 0.31249783824500327),
    "log-sigma-1-0-mm-3D": (-103.04989716360788, 3682.546186708267, 181.344756110914, 10.999458869392427),
    "log-sigma-3-0-mm-3D": (-370.6071212112263, 9859.765682253177, 246.09056236453782, 26.67532877996825),
    "logarithm": (-451.8216748698079, 2596853.73488607, 4543.299349626147, 61.73183201476342),
    "original": (-63.90800477897252, 15380.51125014096, 20.713449304070664, 2.786428904076357),
    "square": (6.338243023435405, 107.114471212211, 0.0785350660167904, 0.3003867896652993),
    "squareroot": (-207.35430367245672, 281616.5977664318, 432.8424118896116, 14.553353558899316),
    "wavelet-HHH": (-0.09534603666705299, 10.417085893712294, 0.5724944695199317, 0.028869470686408858),
    "wavelet-HHL": (0.22696145280115687, 8.798929905128526, 0.44418053204716984, 0.034961638852186505),
    "wavelet-HLH": (0.521212697128848, 770.2610092410407, 16.400579623810344, 1.3636950350913277),
    "wavelet-HLL": (-16.658456094661247, 987.1991376678078, 7.296781999873411, 3.2690937014737216),
    "wavelet-LHH": (-2.6112265782169697, 567.2996501441838, 11.933669711539743, 1.6789412939315762),
    "wavelet-LHL": (-13.930470011773831, 571.5206958115492, 5.8624786082763904, 1.7767928478585524),
    "wavelet-LLH": (-78.28855078492866, 228636.39786003734, 5067.580766603501, 47.92802795304518),
    "wavelet-LLL": (-369.6661322321807, 176843.79556675773, 2038.8352421372203, 84.62869752106388),
}
MEASURES = ("firstorder_Mean", "firstorder_Variance", "glcm_Contrast", "ngtdm_Strength")
CASES: list[tuple[str, dict[str, Any], dict[str, float]]] = [
    (
        "lung1",
        {
            "featureClass": {"glcm": None, "glrlm": None, "gldm": None, "ngtdm": None},
            "setting": {"distances": [1, 2], "gldm_a": 1},
        },
        {
            "original_glcm_Contrast": 29.2922301664013,
            "original_glcm_MCC": 0.534180765833103,
            "original_gldm_DependenceEntropy": 8.13584548525474,
            "original_ngtdm_Busyness": 0.24234834456834628,
            "original_glrlm_RunEntropy": 4.555631762141003,
        },
    ),
    (
        "lung1",
        {
            "featureClass": {"glcm": None, "gldm": None, "ngtdm": None},
            "setting": {"distances": [2], "force2D": True, "weightingNorm": "no_weighting"},
        },
        {
            "original_glcm_Contrast": 19.124438050710303,
            "original_gldm_DependenceEntropy": 6.267547938280135,
            "original_ngtdm_Busyness": 0.1856052218569121,
        },
    ),
    (
        "breast1",
        {
            "imageType": {"Original": {}, "Wavelet": {"binWidth": 10}, "Square": {}, "Gradient": {}},
            "featureClass": {"firstorder": None, "glcm": None},
            "setting": {"binWidth": 25, "resampledPixelSpacing": [1.5, 1.5, 0], "interpolator": "sitkLinear"},
        },
        {
            "original_firstorder_Mean": 128.44444444444446,
            "wavelet-LLH_glcm_Contrast": 18.774847313055815,
            "gradient_firstorder_Mean": 23.238814848440665,
            "square_firstorder_Energy": 251635.27567803758,
        },
    ),
    (
        "breast1",
        {
            "imageType": {"LoG": {"sigma": [2.0]}, "Wavelet": {}},
            "featureClass": {"firstorder": None, "glszm": None},
            "setting": {
                "normalize": True,
                "normalizeScale": 100,
                "binWidth": 5,
                "resegmentRange": [-3, 3],
                "resegmentMode": "sigma",
            },
        },
        {
            "log-sigma-2-0-mm-3D_firstorder_Mean": -193.6625151200728,
            "wavelet-HHL_firstorder_Variance": 128.08347415717049,
            "wavelet-LLL_glszm_ZoneEntropy": 6.55467631722654,
        },
    ),
    (
        "lung1",
        {
            "imageType": {"Wavelet": {"level": 2, "wavelet": "haar"}, "Gradient": {"gradientUseSpacing": False}},
            "featureClass": {"firstorder": None},
            "setting": {"preCrop": True, "padDistance": 7},
        },
        {
            "wavelet2-LLL_firstorder_Mean": -2746.9042712066916,
            "wavelet-HHH_firstorder_Energy": 62127.87500000003,
            "gradient_firstorder_Maximum": 498.3843994140625,
        },
    ),
]


def _case(shared: Path, name: str) -> tuple[Image, Image]:
    folder = shared / "pyradiomics"
    return read_image(folder / f"{name}_image.nrrd"), read_image(folder / f"{name}_label.nrrd")


def test_every_image_type_has_pyradiomics_values(shared: Path) -> None:
    types = dict.fromkeys(NAMES, None) | {
        "LoG": {"sigma": [1.0, 3.0], "binWidth": 5}, "Wavelet": {"binWidth": 10}, "LBP2D": {"binWidth": 1},
    }  # fmt: skip
    classes = {"firstorder": ["Mean", "Variance"], "glcm": ["Contrast"], "ngtdm": ["Strength"]}
    found = execute(*_case(shared, "lung1"), parameters_of({"imageType": types, "featureClass": classes}))
    assert len(found) == len(LUNG) * len(MEASURES)
    for prefix, values in LUNG.items():
        for name, value in zip(MEASURES, values, strict=True):
            assert found[f"{prefix}_{name}"] == pytest.approx(value, rel=1e-6, abs=1e-12), (prefix, name)


@pytest.mark.parametrize(("case", "document", "expected"), CASES)
def test_settings_have_pyradiomics_values(
    shared: Path, case: str, document: dict[str, Any], expected: dict[str, float]
) -> None:
    found = execute(*_case(shared, case), parameters_of(document))
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, rel=1e-6), name


def test_bands_of_one_wavelet_level_add_up_to_the_image() -> None:
    # an orthogonal undecimated transform of one level holds eight times the energy over its bands
    found = dict(IMAGE_TYPES["Wavelet"](IMAGE[:8, :, :10], SPACING, {"plane": None, "wavelet": "haar"}))
    assert [*found] == [f"wavelet-{b}" for b in ("LLH", "LHL", "LHH", "HLL", "HLH", "HHL", "HHH", "LLL")]
    assert sum((r**2).sum() for r in found.values()) == pytest.approx(8 * (IMAGE[:8, :, :10] ** 2).sum())


def test_point_filters_by_hand() -> None:
    image = np.array([[[-4.0, 0.0, 1.0, 9.0]]])
    found = {n: dict(IMAGE_TYPES[n](image, SPACING, {}))[n.lower()] for n in ("Square", "SquareRoot", "Logarithm")}
    assert found["Square"].ravel().tolist() == pytest.approx([16 / 9, 0, 1 / 9, 9])
    assert found["SquareRoot"].ravel().tolist() == [-6, 0, 3, 9]
    assert found["Logarithm"].ravel()[[0, 3]] == pytest.approx([-9 * np.log(5) / np.log(10), 9])
    ((_, exponential),) = IMAGE_TYPES["Exponential"](image, SPACING, {})
    assert exponential.ravel()[[1, 3]] == pytest.approx([1, 9])


def test_the_new_grid_shares_its_corner_with_the_old_and_masks_stay_masks() -> None:
    asked = Parameters(resampledPixelSpacing=(0.5, 0.5, 0), interpolator="sitkNearestNeighbor", padDistance=100)
    found = placed(IMAGE, MASK, SPACING, asked)
    assert found.spacing == (2.0, 0.5, 0.5)
    assert np.array_equal(found.values[:, ::2, ::2], IMAGE)
    assert np.array_equal(found.values[:, 1::2, 1::2], IMAGE)
    assert found.inside.sum() == 4 * MASK.sum()


def test_a_crop_keeps_what_filters_look_at_and_the_region() -> None:
    found = placed(IMAGE, MASK, SPACING, Parameters(preCrop=True, padDistance=1))
    assert np.array_equal(found.values, IMAGE[1:8, 2:10, 2:9])
    assert found.inside.sum() == MASK.sum()
    with pytest.raises(ItemError, match="no voxel"):
        placed(IMAGE, MASK & False, SPACING, Parameters())


def test_an_image_too_small_for_a_gaussian_has_no_response_and_nan_is_a_fault() -> None:
    asked = Parameters(imageTypes=(("LoG", (("sigma", (1.0, 50.0)),)),))
    assert [name for name, _, _ in responses(IMAGE, SPACING, asked)] == ["log-sigma-1-0-mm-3D"]
    assert not [*responses(IMAGE[:3], SPACING, asked)]
    with pytest.raises(ItemError, match="not finite"):
        next(responses(np.full((4, 4, 4), np.nan), SPACING, asked))


def test_a_filtered_image_has_no_unit_and_settings_of_its_own() -> None:
    image = Image(IMAGE, Geometry(SPACING), "ct", "HU")
    types = (("Original", ()), ("Square", (("binWidth", 0.5),)))
    found = {r["name"]: r for r in rows(image, MASK, Parameters(imageTypes=types))}
    assert found["original_firstorder_Mean"]["unit"] == "HU"
    assert found["square_firstorder_Mean"]["unit"] == "a.u."
    coarse = {r["name"]: r["value"] for r in rows(image, MASK, Parameters(imageTypes=(("Square", ()),)))}
    assert found["square_firstorder_Mean"]["value"] == coarse["square_firstorder_Mean"]
    assert found["square_firstorder_Entropy"]["value"] > coarse["square_firstorder_Entropy"]
    assert sum(name.startswith("original_shape") for name in coarse) == 14
