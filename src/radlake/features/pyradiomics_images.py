"""What PyRadiomics measures besides the image as it is: the image on another grid, and its filtered images.

Definitions are those of PyRadiomics 3 (van Griethuysen et al., Cancer Res 2017; documentation, "Image Processing /
Filters"): the resampling grid follows the mask, B-splines and recursive Gaussians are ITK's, wavelets are undecimated.
LBP3D is not among them: its sphere of neighbours comes from a mesh package, and its values change with that.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from itertools import product
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from radlake.core.fault import ItemError
from radlake.core.image import Array, BoolArray
from radlake.features.pyradiomics_settings import Parameters
from radlake.imaging.arguments import Spacing

Floats = NDArray[np.float64]
_LEAST_SIDE = 4  # voxels that the recursive Gaussian needs


class Placed(NamedTuple):
    """Image and mask on the grid that is measured; spacing in millimetres along (z, y, x)."""

    values: Array
    inside: BoolArray
    spacing: Spacing


def placed(values: Array, inside: BoolArray, spacing: Spacing, parameters: Parameters) -> Placed:
    """Image and mask resampled, or cropped first, as the settings say.

    Parameters
    ----------
    values : (z, y, x) array
        Any unit.
    inside : (z, y, x) bool array
        At least one voxel.
    spacing : (z, y, x)
        Millimetres.
    parameters : Parameters
        Of which `resampledPixelSpacing` (x, y, z), `interpolator`, `padDistance` and `preCrop` count.

    Raises
    ------
    ItemError
        `empty_mask` when nothing is inside.
    """
    if not inside.any():
        raise ItemError("empty_mask")
    first = np.array([int(index.min()) for index in np.nonzero(inside)])
    size = np.array([int(index.max()) for index in np.nonzero(inside)]) - first + 1
    if parameters.resampledPixelSpacing is not None and parameters.interpolator is not None:
        asked = np.array(parameters.resampledPixelSpacing[::-1])
        steps = np.where((asked == 0) | (size == 1), spacing, asked)  # nothing to interpolate across one slice
        if not np.allclose(steps, spacing):
            return _resampled(Placed(values, inside, spacing), first, size, steps, parameters)
    elif not parameters.preCrop:
        return Placed(values, inside, spacing)
    # With the spacing that is there already, PyRadiomics crops as preCrop does.
    pad = parameters.padDistance
    box = tuple(slice(max(a - pad, 0), a + n + pad) for a, n in zip(first.tolist(), size.tolist(), strict=True))
    return Placed(values[box], inside[box], spacing)


def _resampled(given: Placed, first: Floats, size: Floats, steps: Floats, parameters: Parameters) -> Placed:
    """The box round the region on a grid with other steps, whose corner is that of the image."""
    import SimpleITK

    ratio = np.array(given.spacing) / steps
    low = np.maximum(np.floor((first - 0.5) * ratio - parameters.padDistance), 0)
    most = np.ceil(np.array(given.inside.shape) * ratio) - 1
    high = np.minimum(np.ceil((first + size - 0.5) * ratio + parameters.padDistance), most)
    # Centres of the first voxels lie half a step from the corner that both grids share.
    origin = 0.5 * (steps - given.spacing) + low / ratio * given.spacing
    resampler = SimpleITK.ResampleImageFilter()
    resampler.SetOutputSpacing(steps[::-1].tolist())
    resampler.SetSize([int(n) for n in (high - low + 1)[::-1]])
    resampler.SetOutputOrigin(origin[::-1].tolist())
    found = []
    kinds = (getattr(SimpleITK, str(parameters.interpolator)), SimpleITK.sitkNearestNeighbor)
    for array, kind in zip((given.values, given.inside.astype(np.uint8)), kinds, strict=True):
        image = SimpleITK.GetImageFromArray(array)
        image.SetSpacing([float(s) for s in given.spacing[::-1]])
        resampler.SetInterpolator(kind)
        found.append(SimpleITK.GetArrayFromImage(resampler.Execute(image)))
    return Placed(found[0], found[1] != 0, tuple(float(s) for s in steps))


def responses(values: Array, spacing: Spacing, parameters: Parameters) -> Iterator[tuple[str, Array, Parameters]]:
    """Each image that is measured: what names begin with, values, and the settings that its type changes.

    Parameters
    ----------
    values : (z, y, x) array
    spacing : (z, y, x)
        Millimetres.
    parameters : Parameters
        Of which `imageTypes` and `filterSettings` count.

    Raises
    ------
    ItemError
        `not_finite`, where the image holds NaN or infinities, which filters would spread.

    Examples
    --------
    >>> image = np.array([[[-4.0, 1.0, 9.0]]])
    >>> asked = Parameters(imageTypes=(("SquareRoot", ()),))
    >>> [(name, response.tolist()) for name, response, _ in responses(image, (1.0, 1.0, 1.0), asked)]
    [('squareroot', [[[-6.0, 3.0, 9.0]]])]
    """
    for image_type, _ in parameters.imageTypes:
        own, given = parameters.of_type(image_type)
        if image_type == "Original":
            yield "original", values, own
            continue
        if not np.isfinite(values).all():
            raise ItemError("not_finite")
        for name, response in IMAGE_TYPES[image_type](values, spacing, given | {"plane": _plane(own)}):
            yield name, response, own


def _plane(parameters: Parameters) -> int | None:
    """The axis that features look across, where they look at planes."""
    return parameters.force2Ddimension if parameters.force2D else None


def _laplacian_of_gaussian(values: Array, spacing: Spacing, given: Mapping[str, Any]) -> Iterator[tuple[str, Array]]:
    """ITK's recursive Laplacian of a Gaussian of each sigma (mm), normalised across scale."""
    import SimpleITK

    if min(values.shape) < _LEAST_SIDE:
        return
    image = SimpleITK.GetImageFromArray(values)
    image.SetSpacing([float(s) for s in spacing[::-1]])
    for sigma in given.get("sigma", ()):
        if all(n >= np.ceil(sigma / s) + 1 for n, s in zip(values.shape, spacing, strict=True)):
            response = SimpleITK.LaplacianRecursiveGaussian(image, float(sigma), True)
            yield f"log-sigma-{str(sigma).replace('.', '-')}-mm-3D", SimpleITK.GetArrayFromImage(response)


def _wavelet(values: Array, spacing: Spacing, given: Mapping[str, Any]) -> Iterator[tuple[str, Array]]:
    """Bands of an undecimated wavelet transform, each level of the one before; names in the order x, y, z."""
    import pywt

    del spacing
    axes = tuple(axis for axis in (2, 1, 0) if axis != given["plane"])
    odd = [n % 2 for n in values.shape]
    data = np.pad(values, [(0, more) for more in odd], "wrap")
    inner = tuple(slice(None, n) for n in values.shape)
    start, levels = int(given.get("start_level", 0)), int(given.get("level", 1))
    for level in range(start + levels):
        (bands,) = pywt.swtn(data, given.get("wavelet", "coif1"), level=1, start_level=0, axes=axes)
        data = bands["a" * len(axes)]
        if level < start:
            continue
        number = "" if level == start else str(level - start + 1)
        for letters in product("ad", repeat=len(axes)):
            band = "".join(letters)
            if "d" in band:
                yield f"wavelet{number}-{band.replace('a', 'L').replace('d', 'H')}", bands[band][inner]
    number = "" if levels == 1 else str(levels)
    yield f"wavelet{number}-{'L' * len(axes)}", data[inner]


def _square(values: Array, spacing: Spacing, given: Mapping[str, Any]) -> Iterator[tuple[str, Array]]:
    """Squares, scaled to the image's greatest size."""
    del spacing, given
    exact = values.astype(np.float64)
    yield "square", (exact / np.sqrt(_greatest(exact))) ** 2


def _square_root(values: Array, spacing: Spacing, given: Mapping[str, Any]) -> Iterator[tuple[str, Array]]:
    """Roots of sizes, signs kept, scaled to the image's greatest size."""
    del spacing, given
    exact = values.astype(np.float64)
    yield "squareroot", np.sign(exact) * np.sqrt(np.abs(exact) * _greatest(exact))


def _logarithm(values: Array, spacing: Spacing, given: Mapping[str, Any]) -> Iterator[tuple[str, Array]]:
    """Logarithms of sizes + 1, signs kept, scaled to the image's greatest size."""
    del spacing, given
    exact = values.astype(np.float64)
    found = np.sign(exact) * np.log(np.abs(exact) + 1)
    yield "logarithm", found * (_greatest(exact) / _greatest(found))


def _exponential(values: Array, spacing: Spacing, given: Mapping[str, Any]) -> Iterator[tuple[str, Array]]:
    """Exponentials, scaled so that the image's greatest size stays."""
    del spacing, given
    exact = values.astype(np.float64)
    most = _greatest(exact)
    yield "exponential", np.exp(np.log(most) / most * exact)


def _gradient(values: Array, spacing: Spacing, given: Mapping[str, Any]) -> Iterator[tuple[str, Array]]:
    """ITK's gradient magnitude, by millimetres unless told otherwise."""
    import SimpleITK

    image = SimpleITK.GetImageFromArray(values)
    image.SetSpacing([float(s) for s in spacing[::-1]])
    yield (
        "gradient",
        SimpleITK.GetArrayFromImage(SimpleITK.GradientMagnitude(image, bool(given.get("gradientUseSpacing", True)))),
    )


def _patterns(values: Array, spacing: Spacing, given: Mapping[str, Any]) -> Iterator[tuple[str, Array]]:
    """Local binary patterns of scikit-image in the planes across z, or across the axis that features look across."""
    from skimage.feature import local_binary_pattern

    del spacing
    axis = given["plane"] or 0
    points, radius = int(given.get("lbp2DSamples", 8)), given.get("lbp2DRadius", 1)
    planes = np.moveaxis(values, axis, 0)
    with warnings.catch_warnings():  # of float images, that equal pixels may round apart: PyRadiomics takes them too
        warnings.simplefilter("ignore", UserWarning)
        found = [local_binary_pattern(p, points, radius, given.get("lbp2DMethod", "uniform")) for p in planes]
    yield "lbp-2D", np.moveaxis(np.stack(found).astype(values.dtype), 0, axis)


def _greatest(values: Floats) -> float:
    """Greatest size; 1 for an image of zeros, which stays as it is."""
    return float(np.abs(values).max()) or 1.0


IMAGE_TYPES: dict[str, Callable[[Array, Spacing, Mapping[str, Any]], Iterator[tuple[str, Array]]]] = {
    "LoG": _laplacian_of_gaussian,
    "Wavelet": _wavelet,
    "Square": _square,
    "SquareRoot": _square_root,
    "Logarithm": _logarithm,
    "Exponential": _exponential,
    "Gradient": _gradient,
    "LBP2D": _patterns,
}
