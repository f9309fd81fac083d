"""Segmentation: thresholds, tissue classes, regions from seeds, contours, anatomy; how well masks agree.

Nothing depends on a random start or on the number of threads. Heavy libraries load at the first call.
"""

from radlake.imaging.agreement import (
    Agreement,
    agreement,
    dice,
    hausdorff,
    hausdorff95,
    jaccard,
    mean_surface_distance,
    volume_difference,
)
from radlake.imaging.consensus import Staple, likely, majority, staple
from radlake.imaging.segment.anatomy import body, lungs
from radlake.imaging.segment.contours import chan_vese, geodesic
from radlake.imaging.segment.multilevel import multi_otsu, multi_otsu_thresholds
from radlake.imaging.segment.regions import components, foreground, grow, largest_component, watershed
from radlake.imaging.segment.thresholds import li, li_threshold, otsu, otsu_threshold, triangle, triangle_threshold
from radlake.imaging.segment.tissue import Mixture, fit_mixture, gaussian_mixture, k_means
from radlake.imaging.segment.walker import random_walker

__all__ = [
    "Agreement",
    "Mixture",
    "Staple",
    "agreement",
    "body",
    "chan_vese",
    "components",
    "dice",
    "fit_mixture",
    "foreground",
    "gaussian_mixture",
    "geodesic",
    "grow",
    "hausdorff",
    "hausdorff95",
    "jaccard",
    "k_means",
    "largest_component",
    "li",
    "li_threshold",
    "likely",
    "lungs",
    "majority",
    "mean_surface_distance",
    "multi_otsu",
    "multi_otsu_thresholds",
    "otsu",
    "otsu_threshold",
    "random_walker",
    "staple",
    "triangle",
    "triangle_threshold",
    "volume_difference",
    "watershed",
]
