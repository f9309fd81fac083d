"""Every feature by name: IBSI code, title, unit and family, as data.

Names are the tags of the IBSI reference values; features that IBSI does not define have no code. Reference for all
codes: Zwanenburg et al. (2020), The Image Biomarker Standardization Initiative, arXiv:1612.07003v11, chapter 3.
"""

from __future__ import annotations

from typing import NamedTuple

from radlake.core.image import Unit


class Feature(NamedTuple):
    """What a number is.

    Parameters
    ----------
    name : str
        Tag, such as "morph_volume".
    code : str or None
        IBSI code, such as "RNU0".
    title : str
        In words.
    length, intensity : int
        Powers of millimetres and of the image's unit; both 0: a pure number.
    """

    name: str
    code: str | None
    title: str
    length: int = 0
    intensity: int = 0

    def unit(self, intensity_unit: Unit | None, *, calibrated: bool) -> str:
        """Unit of the value: "mm2", "HU2", "HU.mm3" (UCUM style), "1" for a pure number; "px" without spacing.

        Examples
        --------
        >>> Feature("x", None, "integrated intensity", length=3, intensity=1).unit("HU", calibrated=True)
        'HU.mm3'
        """
        parts = []
        if self.intensity:
            parts.append(_power(intensity_unit or "a.u.", self.intensity))
        if self.length:
            parts.append(_power("mm" if calibrated else "px", self.length))
        return ".".join(parts) or "1"


def _power(unit: str, exponent: int) -> str:
    """A unit with its exponent; compound units in brackets."""
    if exponent == 1:
        return unit
    return f"({unit}){exponent}" if "/" in unit or "." in unit else f"{unit}{exponent}"


MORPHOLOGY: tuple[Feature, ...] = (
    Feature("morph_volume", "RNU0", "volume of the mesh", length=3),
    Feature("morph_vol_approx", "YEKZ", "volume by counting voxels", length=3),
    Feature("morph_area_mesh", "C0JK", "surface area of the mesh", length=2),
    Feature("morph_av", "2PR5", "surface to volume ratio", length=-1),
    Feature("morph_comp_1", "SKGS", "compactness 1"),
    Feature("morph_comp_2", "BQWJ", "compactness 2"),
    Feature("morph_sph_dispr", "KRCK", "spherical disproportion"),
    Feature("morph_sphericity", "QCFX", "sphericity"),
    Feature("morph_asphericity", "25C7", "asphericity"),
    Feature("morph_com", "KLMA", "centre of mass shift", length=1),
    Feature("morph_diam", "L0JK", "maximum 3-D diameter", length=1),
    Feature("morph_pca_maj_axis", "TDIC", "major axis length", length=1),
    Feature("morph_pca_min_axis", "P9VJ", "minor axis length", length=1),
    Feature("morph_pca_least_axis", "7J51", "least axis length", length=1),
    Feature("morph_pca_elongation", "Q3CK", "elongation: minor over major axis"),
    Feature("morph_pca_flatness", "N17B", "flatness: least over major axis"),
    Feature("morph_vol_dens_aabb", "PBX1", "volume density in the axis-aligned box"),
    Feature("morph_area_dens_aabb", "R59B", "area density of the axis-aligned box"),
    Feature("morph_vol_dens_aee", "6BDE", "volume density in the approximate enclosing ellipsoid"),
    Feature("morph_area_dens_aee", "RDD2", "area density of the approximate enclosing ellipsoid"),
    Feature("morph_vol_dens_conv_hull", "R3ER", "volume density in the convex hull"),
    Feature("morph_area_dens_conv_hull", "7T7F", "area density of the convex hull"),
    Feature("morph_integ_int", "99N0", "integrated intensity", length=3, intensity=1),
)

PLANAR: tuple[Feature, ...] = (
    Feature("planar_area", None, "area inside the outline", length=2),
    Feature("planar_area_approx", None, "area by counting pixels", length=2),
    Feature("planar_perimeter", None, "length of the outline", length=1),
    Feature("planar_max_diameter", None, "greatest Feret diameter", length=1),
    Feature("planar_min_diameter", None, "least Feret diameter", length=1),
    Feature("planar_maj_axis", None, "major axis length", length=1),
    Feature("planar_min_axis", None, "minor axis length", length=1),
    Feature("planar_elongation", None, "elongation: minor over major axis"),
    Feature("planar_eccentricity", None, "eccentricity of the ellipse of equal moments"),
    Feature("planar_circularity", None, "circularity: 4 pi area / perimeter squared"),
    Feature("planar_solidity", None, "solidity: area over that of the convex hull"),
    Feature("planar_extent", None, "extent: area over that of the axis-aligned box"),
)

# The same measures of the axial slice in which a three-dimensional region is largest.
SLICE: tuple[Feature, ...] = tuple(
    f._replace(name=f.name.replace("planar_", "slice_"), title=f"{f.title}, largest slice") for f in PLANAR
)

STATISTICS: tuple[Feature, ...] = (
    Feature("stat_mean", "Q4LE", "mean", intensity=1),
    Feature("stat_var", "ECT3", "variance", intensity=2),
    Feature("stat_skew", "KE2A", "skewness"),
    Feature("stat_kurt", "IPH6", "excess kurtosis"),
    Feature("stat_median", "Y12H", "median", intensity=1),
    Feature("stat_min", "1GSF", "minimum", intensity=1),
    Feature("stat_p10", "QG58", "10th percentile", intensity=1),
    Feature("stat_p90", "8DWT", "90th percentile", intensity=1),
    Feature("stat_max", "84IY", "maximum", intensity=1),
    Feature("stat_iqr", "SALO", "interquartile range", intensity=1),
    Feature("stat_range", "2OJQ", "range", intensity=1),
    Feature("stat_mad", "4FUA", "mean absolute deviation", intensity=1),
    Feature("stat_rmad", "1128", "robust mean absolute deviation", intensity=1),
    Feature("stat_medad", "N72L", "median absolute deviation", intensity=1),
    Feature("stat_cov", "7TET", "coefficient of variation"),
    Feature("stat_qcod", "9S40", "quartile coefficient of dispersion"),
    Feature("stat_energy", "N8CA", "energy", intensity=2),
    Feature("stat_rms", "5ZWQ", "root mean square", intensity=1),
)

AUTOCORRELATION: tuple[Feature, ...] = (
    Feature("morph_moran_i", "N365", "Moran's I index"),
    Feature("morph_geary_c", "NPT7", "Geary's C measure"),
)

FEATURES: dict[str, Feature] = {f.name: f for f in (*MORPHOLOGY, *PLANAR, *SLICE, *STATISTICS, *AUTOCORRELATION)}
