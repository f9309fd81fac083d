"""Shape of plane regions: X-ray and ultrasound images, and single slices of volumes."""

from __future__ import annotations

import numpy as np

from radlake.core.fault import Term
from radlake.core.image import BoolArray
from radlake.features.hull import convex_hull, largest_distance, least_width
from radlake.features.mesh import outline_length_area
from radlake.features.moments import axis_lengths, moments
from radlake.features.roi import Values, bounding_box
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
    >>> round(planar(np.ones((4, 2), bool), (1.0, 1.0))["max_diameter"], 3)
    4.123
    """
    mask = mask[bounding_box(mask)]
    perimeter, area = outline_length_area(mask, spacing)
    hull = convex_hull(mask, spacing)
    place = moments(mask, spacing)
    major, minor = axis_lengths(place.covariance)
    pixel = spacing[0] * spacing[1]
    return {
        "area": area,
        "area_approx": place.voxels * pixel,
        "perimeter": perimeter,
        "max_diameter": largest_distance(hull.vertices),
        "min_diameter": least_width(hull.vertices),
        "maj_axis": major,
        "min_axis": minor,
        "elongation": minor / major if major else ONE_PIXEL,
        "eccentricity": float(np.sqrt(1 - (minor / major) ** 2)) if major else ONE_PIXEL,
        "circularity": 4 * np.pi * area / perimeter**2,
        "solidity": area / hull.volume,
        "extent": area / (mask.size * pixel),
    }
