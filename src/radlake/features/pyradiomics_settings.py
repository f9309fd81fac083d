"""PyRadiomics' names of features and its settings, as data, and its parameter files.

What is not supported is refused by name, never left out in silence.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

VERSION = 3
_SECTIONS = ("imageType", "featureClass", "setting", "voxelSetting")
_IGNORED = {  # how PyRadiomics does its work, without effect on values
    "additionalInfo", "geometryTolerance", "correctMask", "minimumROIDimensions", "minimumROISize", "enableCExtensions",
    "label_channel",
}  # fmt: skip
INTERPOLATORS = (
    "sitkNearestNeighbor", "sitkLinear", "sitkBSpline", "sitkGaussian", "sitkLabelGaussian", "sitkHammingWindowedSinc",
    "sitkCosineWindowedSinc", "sitkWelchWindowedSinc", "sitkLanczosWindowedSinc", "sitkBlackmanWindowedSinc",
)  # fmt: skip
_BY_NUMBER = dict(enumerate(INTERPOLATORS, 1))  # SimpleITK's own numbers, which parameter files may hold
IMAGE_TYPES = ("Original", "LoG", "Wavelet", "Square", "SquareRoot", "Logarithm", "Exponential", "Gradient", "LBP2D")
FILTER_SETTINGS = {
    "sigma", "wavelet", "level", "start_level", "gradientUseSpacing", "lbp2DRadius", "lbp2DSamples", "lbp2DMethod",
}  # fmt: skip
NORMS = ("manhattan", "euclidean", "infinity", "no_weighting")
Given = tuple[tuple[str, Any], ...]

# Position of each measure in `table_kernels.cooccurrences`, and in `emphases`.
GLCM = {
    "Autocorrelation": 19, "JointAverage": 1, "ClusterProminence": 22, "ClusterShade": 21, "ClusterTendency": 20,
    "Contrast": 11, "Correlation": 18, "DifferenceAverage": 4, "DifferenceEntropy": 6, "DifferenceVariance": 5,
    "JointEnergy": 10, "JointEntropy": 3, "Imc1": 23, "Imc2": 24, "Idm": 15, "Idmn": 16, "Id": 13, "Idn": 14,
    "InverseVariance": 17, "MaximumProbability": 0, "SumAverage": 7, "SumEntropy": 9, "SumSquares": 2,
}  # fmt: skip
GLRLM = {
    "ShortRunEmphasis": 0, "LongRunEmphasis": 1, "LowGrayLevelRunEmphasis": 2, "HighGrayLevelRunEmphasis": 3,
    "ShortRunLowGrayLevelEmphasis": 4, "ShortRunHighGrayLevelEmphasis": 5, "LongRunLowGrayLevelEmphasis": 6,
    "LongRunHighGrayLevelEmphasis": 7, "GrayLevelNonUniformity": 8, "GrayLevelNonUniformityNormalized": 9,
    "RunLengthNonUniformity": 10, "RunLengthNonUniformityNormalized": 11, "RunPercentage": 12, "GrayLevelVariance": 13,
    "RunVariance": 14, "RunEntropy": 15,
}  # fmt: skip
GLSZM = {
    "SmallAreaEmphasis": 0, "LargeAreaEmphasis": 1, "LowGrayLevelZoneEmphasis": 2, "HighGrayLevelZoneEmphasis": 3,
    "SmallAreaLowGrayLevelEmphasis": 4, "SmallAreaHighGrayLevelEmphasis": 5, "LargeAreaLowGrayLevelEmphasis": 6,
    "LargeAreaHighGrayLevelEmphasis": 7, "GrayLevelNonUniformity": 8, "GrayLevelNonUniformityNormalized": 9,
    "SizeZoneNonUniformity": 10, "SizeZoneNonUniformityNormalized": 11, "ZonePercentage": 12, "GrayLevelVariance": 13,
    "ZoneVariance": 14, "ZoneEntropy": 15,
}  # fmt: skip
GLDM = {
    "SmallDependenceEmphasis": 0, "LargeDependenceEmphasis": 1, "LowGrayLevelEmphasis": 2, "HighGrayLevelEmphasis": 3,
    "SmallDependenceLowGrayLevelEmphasis": 4, "SmallDependenceHighGrayLevelEmphasis": 5,
    "LargeDependenceLowGrayLevelEmphasis": 6, "LargeDependenceHighGrayLevelEmphasis": 7, "GrayLevelNonUniformity": 8,
    "DependenceNonUniformity": 10, "DependenceNonUniformityNormalized": 11, "GrayLevelVariance": 13,
    "DependenceVariance": 14, "DependenceEntropy": 15,
}  # fmt: skip
NGTDM = {"Coarseness": 0, "Contrast": 1, "Busyness": 2, "Complexity": 3, "Strength": 4}
FIRST_ORDER = {
    "10Percentile": "stat_p10", "90Percentile": "stat_p90", "InterquartileRange": "stat_iqr", "Maximum": "stat_max",
    "Mean": "stat_mean", "MeanAbsoluteDeviation": "stat_mad", "Median": "stat_median", "Minimum": "stat_min",
    "Range": "stat_range", "RobustMeanAbsoluteDeviation": "stat_rmad", "Skewness": "stat_skew", "Variance": "stat_var",
}  # fmt: skip
SHAPE = (
    "Elongation", "Flatness", "LeastAxisLength", "MajorAxisLength", "Maximum2DDiameterColumn", "Maximum2DDiameterRow",
    "Maximum2DDiameterSlice", "Maximum3DDiameter", "MeshVolume", "MinorAxisLength", "Sphericity", "SurfaceArea",
    "SurfaceVolumeRatio", "VoxelVolume",
)  # fmt: skip
CLASSES: dict[str, tuple[str, ...]] = {
    "shape": SHAPE,
    "firstorder": (*FIRST_ORDER, "Energy", "TotalEnergy", "RootMeanSquared", "Entropy", "Uniformity", "Kurtosis"),
    "glcm": (*GLCM, "MCC"),
    "glrlm": tuple(GLRLM),
    "glszm": tuple(GLSZM),
    "gldm": tuple(GLDM),
    "ngtdm": tuple(NGTDM),
}
# Powers of millimetres and of the image's unit; the others are pure numbers.
POWERS: dict[str, dict[str, tuple[int, int]]] = {
    "shape": {
        **{n: (1, 0) for n in SHAPE if "Axis" in n or "Diameter" in n}, "MeshVolume": (3, 0), "VoxelVolume": (3, 0),
        "SurfaceArea": (2, 0), "SurfaceVolumeRatio": (-1, 0),
    },
    "firstorder": {
        **{n: (0, 1) for n in FIRST_ORDER if n not in ("Skewness", "Variance")}, "Variance": (0, 2), "Energy": (0, 2),
        "TotalEnergy": (3, 2), "RootMeanSquared": (0, 1),
    },
}  # fmt: skip


@dataclass(frozen=True)
class Parameters:
    """PyRadiomics' settings under its own names, those that change values.

    Parameters
    ----------
    binWidth : float
        Of a grey level, in the image's unit.
    binCount : int or None
        So many grey levels instead.
    normalize : bool
        Whether the image is scaled to mean 0 and standard deviation `normalizeScale` first.
    normalizeScale, removeOutliers : float, float or None
        See `normalize`; then values are cut at so many standard deviations.
    resegmentRange : tuple or None
        One or two bounds of the intensities that count.
    resegmentMode : {"absolute", "relative", "sigma"}
        Whether the bounds are intensities, shares of the region's maximum, or standard deviations from its mean.
    resegmentShape : bool
        Whether the bounds count for shape too.
    force2D : bool
        Whether texture looks at neighbours in planes only.
    force2Ddimension : {0, 1, 2}
        The axis (z, y, x) that the planes are across.
    weightingNorm : {"manhattan", "euclidean", "infinity", "no_weighting"} or None
        How long a direction is (mm) where the matrices of all directions are merged, near pairs (exp(-d^2)) and runs of
        long directions (d) counting more; "no_weighting": merged as they are. None: features are averaged over
        directions.
    symmetricalGLCM : bool
        Whether pairs count both ways.
    voxelArrayShift : float
        Added to intensities before energy and root mean square.
    label : int
        Value of the mask.
    resampledPixelSpacing : (x, y, z) or None
        Millimetres of the grid to measure on; 0 leaves an axis.
    interpolator : str or None
        Of SimpleITK; masks take the nearest neighbour. None: nothing is resampled.
    padDistance : int
        Voxels round the region that are resampled, or kept, so that filters see them.
    preCrop : bool
        Whether the image is cropped to that before it is filtered.
    distances : tuple of int
        Of the neighbours of co-occurrence, dependence and tone difference, in voxels.
    gldm_a : float
        Levels that differ by no more than this depend on each other.
    imageTypes : tuple of (type, settings)
        What is measured: "Original" and filtered images, each with settings of its own.
    filterSettings : tuple of (name, value)
        Settings of all filters.
    classes : tuple of (class, names)
        What to compute; names: all where empty.
    """

    binWidth: float = 25.0  # noqa: N815 - PyRadiomics' names
    binCount: int | None = None  # noqa: N815
    normalize: bool = False
    normalizeScale: float = 1.0  # noqa: N815
    removeOutliers: float | None = None  # noqa: N815
    resegmentRange: tuple[float, ...] | None = None  # noqa: N815
    resegmentMode: str = "absolute"  # noqa: N815
    resegmentShape: bool = False  # noqa: N815
    force2D: bool = False  # noqa: N815
    force2Ddimension: int = 0  # noqa: N815
    weightingNorm: str | None = None  # noqa: N815
    symmetricalGLCM: bool = True  # noqa: N815
    voxelArrayShift: float = 0.0  # noqa: N815
    label: int = 1
    resampledPixelSpacing: tuple[float, ...] | None = None  # noqa: N815
    interpolator: str | None = "sitkBSpline"
    padDistance: int = 5  # noqa: N815
    preCrop: bool = False  # noqa: N815
    distances: tuple[int, ...] = (1,)
    gldm_a: float = 0.0
    imageTypes: tuple[tuple[str, Given], ...] = (("Original", ()),)  # noqa: N815
    filterSettings: Given = ()  # noqa: N815
    classes: tuple[tuple[str, tuple[str, ...]], ...] = tuple((name, ()) for name in CLASSES)

    def __post_init__(self) -> None:
        if not self.binWidth > 0:
            raise ValueError(f"binWidth must be greater than 0, got {self.binWidth}")
        if self.resegmentMode not in ("absolute", "relative", "sigma"):
            raise ValueError(f"resegmentMode must be absolute, relative or sigma, got {self.resegmentMode!r}")
        if self.resegmentRange is not None and len(self.resegmentRange) not in (1, 2):
            raise ValueError(f"resegmentRange must have one or two numbers, got {len(self.resegmentRange)}")
        if self.weightingNorm not in (None, *NORMS):
            raise ValueError(f"unknown weightingNorm {self.weightingNorm!r}; use {', '.join(NORMS)}, or leave it out")
        if not isinstance(self.symmetricalGLCM, bool):
            raise ValueError(f"symmetricalGLCM must be true or false, got {self.symmetricalGLCM!r}")
        if self.force2Ddimension not in (0, 1, 2):
            raise ValueError(f"force2Ddimension must be 0, 1 or 2, got {self.force2Ddimension}")
        if self.interpolator not in (None, *INTERPOLATORS):
            raise ValueError(f"unknown interpolator {self.interpolator!r}; known: {', '.join(INTERPOLATORS)}")
        if self.resampledPixelSpacing is not None and (
            len(self.resampledPixelSpacing) != 3 or min(self.resampledPixelSpacing) < 0
        ):
            raise ValueError(f"resampledPixelSpacing must be three lengths, got {list(self.resampledPixelSpacing)}")
        if not self.distances or min(self.distances) < 1:
            raise ValueError(f"distances must be whole numbers from 1, got {list(self.distances)}")
        for image_type, _ in self.imageTypes:
            if image_type not in IMAGE_TYPES:
                raise ValueError(f"imageType {image_type!r} is not supported; use {', '.join(IMAGE_TYPES)}")
            self.of_type(image_type)  # a setting that does not fit is told at once

    def of_type(self, image_type: str) -> tuple[Parameters, dict[str, Any]]:
        """Settings that hold for one image type: those of features, and those of its filter.

        Raises
        ------
        ValueError
            For a setting that is unknown or does not fit.
        """
        given = dict(self.filterSettings)
        changed: dict[str, Any] = {}
        for name, value in dict(self.imageTypes)[image_type]:
            if name in FILTER_SETTINGS:
                given[name] = value
            elif name in _CHANGED_BY_TYPE:
                changed[name] = _converted(name, value)
            else:
                raise ValueError(f"setting {name!r} of imageType {image_type!r} is not supported; leave it out")
        return (replace(self, imageTypes=(("Original", ()),), **changed) if changed else self), given

    @property
    def identity(self) -> str:
        """Short name of all settings and of the version: equal ones give comparable numbers."""
        known = {"pyradiomics": VERSION, **asdict(self)}
        return hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()[:12]


# What a filtered image can be measured by in another way than the image itself.
_CHANGED_BY_TYPE = {
    "binWidth", "binCount", "force2D", "force2Ddimension", "weightingNorm", "symmetricalGLCM", "voxelArrayShift",
    "distances", "gldm_a",
}  # fmt: skip


def is_parameter_file(document: Mapping[str, Any]) -> bool:
    """Whether a mapping from a YAML file is one of PyRadiomics' parameter files."""
    return any(section in document for section in _SECTIONS)


def parameters_of(document: Mapping[str, Any]) -> Parameters:
    """Settings from the content of a PyRadiomics parameter file.

    Parameters
    ----------
    document : mapping
        With the keys imageType, featureClass and setting, each optional.

    Raises
    ------
    ValueError
        For a key, class, feature or value that is unknown or not supported; the message names it and what to do.

    Examples
    --------
    >>> found = parameters_of({"setting": {"binWidth": 10}, "featureClass": {"glcm": None, "shape": ["MeshVolume"]}})
    >>> found.binWidth, found.classes
    (10.0, (('glcm', ()), ('shape', ('MeshVolume',))))
    """
    for section in document:
        if section not in _SECTIONS:
            raise ValueError(
                f"unknown section {section!r} of a PyRadiomics parameter file; known: {', '.join(_SECTIONS)}"
            )
    given: dict[str, Any] = {}
    filters: dict[str, Any] = {}
    known = {f.name for f in fields(Parameters)} - {"classes", "imageTypes", "filterSettings"}
    for name, value in (document.get("setting") or {}).items():
        if name in known:
            given[name] = _converted(name, value)
        elif name in FILTER_SETTINGS:
            filters[name] = value
        elif name not in _IGNORED:
            raise ValueError(f"setting {name!r} is not supported with the value {value!r}; leave it out")
    types = document.get("imageType") or {"Original": {}}
    given["imageTypes"] = tuple((name, _frozen(own or {})) for name, own in types.items())
    given["filterSettings"] = _frozen(filters)
    chosen = document.get("featureClass")
    if chosen:
        given["classes"] = tuple((name, _names_in(name, names)) for name, names in chosen.items())
    return Parameters(**given)


def _converted(name: str, value: Any) -> Any:
    """A setting's value from YAML as `Parameters` holds it."""
    if name in ("binWidth", "normalizeScale", "voxelArrayShift", "gldm_a"):
        return float(value)
    if name == "interpolator":
        return _BY_NUMBER.get(value, str(value)) if isinstance(value, int) else value
    if name == "distances":
        return tuple(int(v) for v in value)
    if name == "resampledPixelSpacing":
        return None if value is None or not any(value) else tuple(float(v) for v in value)
    return tuple(map(float, value)) if isinstance(value, list) else value


def _frozen(given: Mapping[str, Any]) -> Given:
    """Settings that can be hashed and compared."""
    return tuple((name, tuple(value) if isinstance(value, list) else value) for name, value in given.items())


def _names_in(name: str, names: Sequence[str] | None) -> tuple[str, ...]:
    """Features of a class that a parameter file names, checked."""
    if name not in CLASSES:
        raise ValueError(f"unknown feature class {name!r}; known: {', '.join(CLASSES)}")
    for feature in names or ():
        if feature not in CLASSES[name]:
            raise ValueError(f"feature class {name!r} has no feature {feature!r}; it has: {', '.join(CLASSES[name])}")
    return tuple(names or ())
