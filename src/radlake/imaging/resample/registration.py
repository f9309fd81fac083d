"""Rigid registration: the turn and shift that lay one image on another; computed by SimpleITK."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from radlake.core.fault import ItemError, Term
from radlake.core.image import Image
from radlake.imaging.channels import scalar
from radlake.imaging.resample.extent import vector
from radlake.imaging.resample.grids import Interpolation, to_grid

Measure = Literal["mutual_information", "squares"]
Start = Literal["centres", "places"]
Matrix = NDArray[np.float64]

_BINS = 50  # of the joint histogram, as in Mattes (2003)
_STEPS = 300
_RELAXATION = 0.8  # of the step where the direction turns: ITK's 0.5 ends half a voxel away
_LEAST = 16  # samples along an axis that no level goes below
_COMPARED = 1 << 18  # samples that a step compares; more make it slower and no better
_SEED = 1


@dataclass(frozen=True)
class Rigid:
    """A turn and a shift in space.

    Parameters
    ----------
    matrix : (4, 4) float array
        Takes points of the fixed image to points of the moving one, LPS millimetres.
    measure : float
        What the optimiser ended at; lower is better.
    """

    matrix: Matrix
    measure: float


def rigid(
    moving: Image,
    fixed: Image,
    *,
    measure: Measure = "mutual_information",
    start: Start = "centres",
    levels: Sequence[int] = (4, 2, 1),
) -> Rigid:
    """Turn and shift after which a moving image lies best on a fixed one, in millimetres.

    On one thread; of large images a fixed random part is compared. Equal input gives equal bits.

    Parameters
    ----------
    moving, fixed : Image
        Volumes, or slices; of colours the brightness is used, of a cine the middle time point.
    measure : {"mutual_information", "squares"}
        What is compared: Mattes' mutual information also fits images of two modalities, squared differences those of
        one modality on one scale.
    start : {"centres", "places"}
        Begin with the centres of both images on each other, or with both where their files say (volumes of one
        examination). Slices always begin at their centres.
    levels : ints
        Factors by which the images are shrunk, one after the other, each from 1.

    Raises
    ------
    ItemError
        `not_finite` for NaN or infinity; `empty_mask` for a constant image; `misaligned_mask` when the images do not
        overlap.
    ValueError
        For images of different numbers of axes, an unknown measure or start, or levels below 1.

    References
    ----------
    Mattes et al. (2003), PET-CT image registration in the chest using free-form deformations, IEEE TMI 22:120-128;
    computed by `SimpleITK.ImageRegistrationMethod`.

    Examples
    --------
    >>> from radlake.core.image import Geometry
    >>> z, y, x = np.indices((20, 24, 24))
    >>> bowl = Image(np.hypot(np.hypot(z - 10, y - 12), x - 12) * 10, Geometry((1.0, 1.0, 1.0)))
    >>> moved = replace(bowl, geometry=Geometry((1.0, 1.0, 1.0), origin=(3.0, 0.0, 0.0)))
    >>> rigid(moved, bowl, levels=[1]).matrix[0, 3].round().item()
    3.0
    """
    if measure not in ("mutual_information", "squares") or start not in ("centres", "places"):
        raise ValueError(f"unknown measure or start: {measure!r}, {start!r}")
    if not levels or min(levels) < 1:
        raise ValueError(f"expected levels from 1, got {tuple(levels)}")
    mine, other = _checked(moving), _checked(fixed)
    if mine.geometry.ndim != other.geometry.ndim:
        raise ValueError("expected two volumes or two slices")
    pair = _itk(mine), _itk(other)
    transform = _first(*pair, centred=start == "centres" or mine.geometry.ndim == 2)
    reached = 0.0
    with _one_thread():
        for level in levels:
            small_moving, small_fixed = (_shrunk(picture, int(level)) for picture in pair)
            reached = _improved(transform, small_moving, small_fixed, measure)
    return Rigid(_frame(mine) @ _homogeneous(transform) @ np.linalg.inv(_frame(other)), reached)


def register(
    moving: Image,
    fixed: Image,
    *,
    measure: Measure = "mutual_information",
    start: Start = "centres",
    levels: Sequence[int] = (4, 2, 1),
    interpolation: Interpolation = "linear",
) -> Image:
    """Moving image laid on a fixed one and sampled on its grid, in the moving one's unit.

    Parameters
    ----------
    moving, fixed, measure, start, levels
        As in `rigid`.
    interpolation : {"nearest", "linear", "cubic"}
        As in `to_grid`, which does the sampling.

    Raises
    ------
    ItemError, ValueError
        As in `rigid` and `to_grid`.

    References
    ----------
    As in `rigid`.

    Examples
    --------
    >>> from radlake.core.image import Geometry
    >>> z, y, x = np.indices((20, 24, 24))
    >>> bowl = Image(np.hypot(np.hypot(z - 10, y - 12), x - 12) * 10, Geometry((1.0, 1.0, 1.0)))
    >>> moved = replace(bowl, geometry=Geometry((1.0, 1.0, 1.0), origin=(3.0, 0.0, 0.0)))
    >>> bool(np.abs(register(moved, bowl, levels=[1]).array - bowl.array)[:, :, 4:-4].max() < 1)
    True
    """
    found = rigid(moving, fixed, measure=measure, start=start, levels=levels)
    return to_grid(laid(moving, found), fixed, interpolation=interpolation)


def laid(moving: Image, found: Rigid) -> Image:
    """The moving image at the place where it lies on the fixed one: another geometry, the same samples.

    Examples
    --------
    >>> from radlake.core.image import Geometry
    >>> shift = Rigid(np.array([[1, 0, 0, 5], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]), 0.0)
    >>> laid(Image(np.zeros((2, 2)), Geometry((1.0, 1.0))), shift).geometry.origin
    (-5.0, 0.0, 0.0)
    """
    back, old = np.linalg.inv(found.matrix), moving.geometry
    turned = tuple(vector(back[:3, :3] @ np.asarray(row)) for row in old.direction)
    return replace(moving, geometry=replace(old, direction=turned, origin=vector(back[:3] @ [*old.origin, 1.0])))


def _checked(image: Image) -> Image:
    """The scalar picture of an image that says where it belongs."""
    plain = scalar(image)
    if not np.isfinite(plain.array).all():
        raise ItemError("not_finite")
    if plain.array.size == 0 or plain.array.min() == plain.array.max():
        raise ItemError("empty_mask", hint=Term("the image is constant: nothing says where it belongs"))
    return plain


def _itk(image: Image) -> Any:
    """A volume in space, or a slice in a plane of its own."""
    import SimpleITK

    picture = SimpleITK.GetImageFromArray(image.array.astype(np.float32))
    picture.SetSpacing(image.geometry.spacing[::-1])
    if image.geometry.ndim == 3:
        picture.SetOrigin(image.geometry.origin)
        picture.SetDirection(np.asarray(image.geometry.direction)[::-1].T.reshape(-1).tolist())
    return picture


def _frame(image: Image) -> Matrix:
    """From the coordinates that `_itk` gives an image to LPS millimetres, (4, 4)."""
    frame = np.eye(4)
    if image.geometry.ndim == 2:
        y, x = np.asarray(image.geometry.direction)
        frame[:3] = np.column_stack([x, y, np.cross(x, y), image.geometry.origin])
    return frame


def _first(moving: Any, fixed: Any, *, centred: bool) -> Any:
    """The transform to begin with; it turns around the centre of the fixed image."""
    import SimpleITK

    transform = SimpleITK.Euler3DTransform() if fixed.GetDimension() == 3 else SimpleITK.Euler2DTransform()
    middles = (p.TransformContinuousIndexToPhysicalPoint([(n - 1) / 2 for n in p.GetSize()]) for p in (fixed, moving))
    here, there = middles
    transform.SetCenter(here)
    if centred:
        transform.SetTranslation([b - a for a, b in zip(here, there, strict=True)])
    return transform


def _shrunk(picture: Any, level: int) -> Any:
    """Every so many samples of a smoothed image; axes of few samples are shrunk less."""
    import SimpleITK

    factors = [max(1, min(level, n // _LEAST)) for n in picture.GetSize()]
    if max(factors) == 1:
        return picture
    sigmas = [
        factor / 2 * step if factor > 1 else 0.0 for factor, step in zip(factors, picture.GetSpacing(), strict=True)
    ]
    variances = [sigma**2 for sigma in sigmas]
    return SimpleITK.Shrink(SimpleITK.DiscreteGaussian(picture, variances), factors)


@contextmanager
def _one_thread() -> Iterator[None]:
    """ITK's measures add up in the order in which threads end; the number for one method does not reach them."""
    import SimpleITK

    before = SimpleITK.ProcessObject.GetGlobalDefaultNumberOfThreads()
    SimpleITK.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    try:
        yield
    finally:
        SimpleITK.ProcessObject.SetGlobalDefaultNumberOfThreads(before)


def _improved(transform: Any, moving: Any, fixed: Any, measure: Measure) -> float:
    """Move the transform to the best place near it; what the measure is there."""
    import SimpleITK

    method = SimpleITK.ImageRegistrationMethod()
    method.SetInterpolator(SimpleITK.sitkLinear)
    if measure == "squares":
        method.SetMetricAsMeanSquares()
    else:
        method.SetMetricAsMattesMutualInformation(_BINS)
    if fixed.GetNumberOfPixels() > _COMPARED:
        method.SetMetricSamplingStrategy(method.RANDOM)
        method.SetMetricSamplingPercentage(_COMPARED / fixed.GetNumberOfPixels(), _SEED)
    finest = min(fixed.GetSpacing())
    method.SetOptimizerAsRegularStepGradientDescent(finest, 1e-3 * finest, _STEPS, _RELAXATION, 1e-12)
    method.SetOptimizerScalesFromPhysicalShift()
    method.SetInitialTransform(transform, inPlace=True)
    try:
        method.Execute(fixed, moving)
    except RuntimeError:  # ITK: all samples lie outside the moving image
        raise ItemError("misaligned_mask", what=Term("the images do not overlap")) from None
    return float(method.GetMetricValue())


def _homogeneous(transform: Any) -> Matrix:
    """The matrix of a turn around a centre and a shift, (4, 4)."""
    axes = transform.GetDimension()
    turn = np.reshape(transform.GetMatrix(), (axes, axes))
    centre, shift = np.asarray(transform.GetCenter()), np.asarray(transform.GetTranslation())
    matrix = np.eye(4)
    matrix[:axes, :axes] = turn
    matrix[:axes, 3] = centre + shift - turn @ centre
    return matrix
