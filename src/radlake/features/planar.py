"""Shape of plane regions: X-ray and ultrasound images, and single slices of volumes."""

from __future__ import annotations

import math

from radlake.core.fault import Term
from radlake.core.image import BoolArray
from radlake.features.moments import axis_lengths, moments
from radlake.features.roi import Values
from radlake.imaging.arguments import Spacing

ONE_PIXEL = Term("the region is one pixel: it has no axes")


def planar(mask: BoolArray, spacing: Spacing) -> Values:
    """Shape features of a plane mask, in millimetres, by name without prefix.

    Outline and hull are those of marching squares at level 1/2; axes are 4 sqrt(eigenvalue) of the positions, as IBSI
    defines them for volumes.

    Parameters
    ----------
    mask : (y, x) bool array
        At least one pixel inside.
    spacing : (y, x)
        Millimetres.

    References
    ----------
    Names and definitions as `skimage.measure.regionprops` and PyRadiomics shape2D: eccentricity sqrt(1 - (b / a)^2);
    circularity 4 pi A / P^2 (Cox 1927, J Paleontol 1:179-183); Feret (1930), La grosseur des grains.

    Examples
    --------
    >>> import numpy as np
    >>> round(planar(np.ones((4, 2), bool), (1.0, 1.0))["max_diameter"], 3)
    4.123
    """
    from radlake.features import shape_kernels

    perimeter, area, convex, greatest, least, box = shape_kernels.outline(mask, *map(float, spacing)).tolist()
    place = moments(mask, spacing)
    major, minor = axis_lengths(place.covariance)
    return {
        "area": area,
        "area_approx": place.voxels * spacing[0] * spacing[1],
        "perimeter": perimeter,
        "max_diameter": greatest,
        "min_diameter": least,
        "maj_axis": major,
        "min_axis": minor,
        "elongation": minor / major if major else ONE_PIXEL,
        "eccentricity": math.sqrt(1 - (minor / major) ** 2) if major else ONE_PIXEL,
        "circularity": 4 * math.pi * area / perimeter**2,
        "solidity": area / convex,
        "extent": area / box,
    }
