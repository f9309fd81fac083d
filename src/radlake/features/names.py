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

# Of planes, and of the largest slice of a volume where asked for; names as scikit-image's `regionprops` has them.
PROPS: tuple[Feature, ...] = (
    Feature("props_area", None, "area by counting pixels", length=2),
    Feature("props_area_bbox", None, "area of the axis-aligned box", length=2),
    Feature("props_area_convex", None, "area of the convex hull by counting pixels", length=2),
    Feature("props_area_filled", None, "area with holes filled", length=2),
    Feature("props_axis_major_length", None, "major axis of the ellipse of equal second moments", length=1),
    Feature("props_axis_minor_length", None, "minor axis of the ellipse of equal second moments", length=1),
    Feature("props_eccentricity", None, "eccentricity of that ellipse"),
    Feature("props_orientation", None, "angle from the rows' axis to the major axis, anticlockwise, radians"),
    Feature("props_equivalent_diameter_area", None, "diameter of the circle of equal area", length=1),
    Feature("props_euler_number", None, "parts less holes, diagonal neighbours joined"),
    Feature("props_extent", None, "area over that of the axis-aligned box"),
    Feature("props_feret_diameter_max", None, "greatest Feret diameter of the convex hull's pixels", length=1),
    Feature("props_perimeter", None, "length of the line through the border pixels' centres, square pixels", length=1),
    Feature("props_perimeter_crofton", None, "perimeter by Crofton's formula in four directions", length=1),
    Feature("props_solidity", None, "area over that of the convex hull"),
)

MOMENTS: tuple[Feature, ...] = (
    *(Feature(f"hu_{k}", None, f"Hu's moment {k}") for k in range(1, 8)),
    *(
        Feature(f"zernike_{n}_{m}", None, f"Zernike moment of degree {n}, repetition {m}: magnitude")
        for n in range(2, 9)
        for m in range(n % 2, n + 1, 2)
    ),
)

FOURIER: tuple[Feature, ...] = tuple(
    Feature(f"fourier_{'minus_' * (k < 0)}{abs(k)}", None, f"harmonic {k} of the outline over the first: magnitude")
    for k in (*range(-8, 0), *range(2, 9))
)

LBP: tuple[Feature, ...] = tuple(
    Feature(
        f"lbp_r{radius}_{'other' if code > points else code}",
        None,
        f"share of pixels whose {points} neighbours at {radius} px "
        + ("have any other pattern" if code > points else f"are as bright in one row of {code}"),
    )
    for radius, points in ((1, 8), (2, 16))
    for code in range(points + 2)
)

HOG: tuple[Feature, ...] = tuple(
    Feature(f"hog_{corner}_{angle}", None, f"share of gradients of {angle} +- 10 degrees, {corner.replace('_', ' ')}")
    for corner in ("top_left", "top_right", "bottom_left", "bottom_right")
    for angle in range(10, 180, 20)
)

# Of parts of a region: shells and habitats.
PART: tuple[Feature, ...] = (Feature("fraction", None, "voxels of the part over those of the region"),)

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

ENCLOSURE: tuple[Feature, ...] = (
    Feature("morph_vol_dens_ombb", "ZH1A", "volume density in the smallest oriented box"),
    Feature("morph_area_dens_ombb", "IQYR", "area density of the smallest oriented box"),
    Feature("morph_vol_dens_mvee", "SWZ1", "volume density in the smallest ellipsoid"),
    Feature("morph_area_dens_mvee", "BRI8", "area density of the smallest ellipsoid"),
)

PEAK: tuple[Feature, ...] = (
    Feature("loc_peak_loc", "VJGA", "local intensity peak", intensity=1),
    Feature("loc_peak_glob", "0F91", "global intensity peak", intensity=1),
)

HISTOGRAM: tuple[Feature, ...] = (
    Feature("ih_mean", "X6K6", "mean of the grey levels"),
    Feature("ih_var", "CH89", "variance of the grey levels"),
    Feature("ih_skew", "88K1", "skewness of the grey levels"),
    Feature("ih_kurt", "C3I7", "excess kurtosis of the grey levels"),
    Feature("ih_median", "WIFQ", "median of the grey levels"),
    Feature("ih_min", "1PR8", "minimum of the grey levels"),
    Feature("ih_p10", "GPMT", "10th percentile of the grey levels"),
    Feature("ih_p90", "OZ0C", "90th percentile of the grey levels"),
    Feature("ih_max", "3NCY", "maximum of the grey levels"),
    Feature("ih_mode", "AMMC", "mode of the grey levels"),
    Feature("ih_iqr", "WR0O", "interquartile range of the grey levels"),
    Feature("ih_range", "5Z3W", "range of the grey levels"),
    Feature("ih_mad", "D2ZX", "mean absolute deviation of the grey levels"),
    Feature("ih_rmad", "WRZB", "robust mean absolute deviation of the grey levels"),
    Feature("ih_medad", "4RNL", "median absolute deviation of the grey levels"),
    Feature("ih_cov", "CWYJ", "coefficient of variation of the grey levels"),
    Feature("ih_qcod", "SLWD", "quartile coefficient of dispersion of the grey levels"),
    Feature("ih_entropy", "TLU2", "entropy of the grey levels"),
    Feature("ih_uniformity", "BJ5W", "uniformity of the grey levels"),
    Feature("ih_max_grad", "12CE", "greatest gradient of the grey levels"),
    Feature("ih_max_grad_g", "8E6O", "level of the greatest gradient of the grey levels"),
    Feature("ih_min_grad", "VQB3", "least gradient of the grey levels"),
    Feature("ih_min_grad_g", "RHQZ", "level of the least gradient of the grey levels"),
)

IVH: tuple[Feature, ...] = (
    Feature("ivh_v10", "BC2M", "volume fraction at 10 % of the intensities"),
    Feature("ivh_v90", "BC2M", "volume fraction at 90 % of the intensities"),
    Feature("ivh_i10", "GBPN", "intensity that 10 % of the volume reaches", intensity=1),
    Feature("ivh_i90", "GBPN", "intensity that 90 % of the volume reaches", intensity=1),
    Feature("ivh_diff_v10_v90", "DDTU", "volume fraction between 10 % and 90 % of the intensities"),
    Feature("ivh_diff_i10_i90", "CNV2", "intensity between 10 % and 90 % of the volume", intensity=1),
    Feature("ivh_auc", "9CMM", "area under the intensity-volume curve"),
)

# Texture families: each name exists once an aggregation ("_3D_comb" ...) or dimension ("_2_5D" ...).
GLCM: tuple[Feature, ...] = (
    Feature("cm_joint_max", "GYBY", "joint maximum, co-occurrence"),
    Feature("cm_joint_avg", "60VM", "joint average, co-occurrence"),
    Feature("cm_joint_var", "UR99", "joint variance, co-occurrence"),
    Feature("cm_joint_entr", "TU9B", "joint entropy, co-occurrence"),
    Feature("cm_diff_avg", "TF7R", "difference average, co-occurrence"),
    Feature("cm_diff_var", "D3YU", "difference variance, co-occurrence"),
    Feature("cm_diff_entr", "NTRS", "difference entropy, co-occurrence"),
    Feature("cm_sum_avg", "ZGXS", "sum average, co-occurrence"),
    Feature("cm_sum_var", "OEEB", "sum variance, co-occurrence"),
    Feature("cm_sum_entr", "P6QZ", "sum entropy, co-occurrence"),
    Feature("cm_energy", "8ZQL", "angular second moment, co-occurrence"),
    Feature("cm_contrast", "ACUI", "contrast, co-occurrence"),
    Feature("cm_dissimilarity", "8S9J", "dissimilarity, co-occurrence"),
    Feature("cm_inv_diff", "IB1Z", "inverse difference, co-occurrence"),
    Feature("cm_inv_diff_norm", "NDRX", "normalised inverse difference, co-occurrence"),
    Feature("cm_inv_diff_mom", "WF0Z", "inverse difference moment, co-occurrence"),
    Feature("cm_inv_diff_mom_norm", "1QCO", "normalised inverse difference moment, co-occurrence"),
    Feature("cm_inv_var", "E8JP", "inverse variance, co-occurrence"),
    Feature("cm_corr", "NI2N", "correlation, co-occurrence"),
    Feature("cm_auto_corr", "QWB0", "autocorrelation, co-occurrence"),
    Feature("cm_clust_tend", "DG8W", "cluster tendency, co-occurrence"),
    Feature("cm_clust_shade", "7NFM", "cluster shade, co-occurrence"),
    Feature("cm_clust_prom", "AE86", "cluster prominence, co-occurrence"),
    Feature("cm_info_corr1", "R8DG", "information correlation 1, co-occurrence"),
    Feature("cm_info_corr2", "JN9H", "information correlation 2, co-occurrence"),
)

GLRLM: tuple[Feature, ...] = (
    Feature("rlm_sre", "22OV", "short runs emphasis, run lengths"),
    Feature("rlm_lre", "W4KF", "long runs emphasis, run lengths"),
    Feature("rlm_lgre", "V3SW", "low grey level run emphasis, run lengths"),
    Feature("rlm_hgre", "G3QZ", "high grey level run emphasis, run lengths"),
    Feature("rlm_srlge", "HTZT", "short run low grey level emphasis, run lengths"),
    Feature("rlm_srhge", "GD3A", "short run high grey level emphasis, run lengths"),
    Feature("rlm_lrlge", "IVPO", "long run low grey level emphasis, run lengths"),
    Feature("rlm_lrhge", "3KUM", "long run high grey level emphasis, run lengths"),
    Feature("rlm_glnu", "R5YN", "grey level non-uniformity, run lengths"),
    Feature("rlm_glnu_norm", "OVBL", "normalised grey level non-uniformity, run lengths"),
    Feature("rlm_rlnu", "W92Y", "run length non-uniformity, run lengths"),
    Feature("rlm_rlnu_norm", "IC23", "normalised run length non-uniformity, run lengths"),
    Feature("rlm_r_perc", "9ZK5", "run percentage, run lengths"),
    Feature("rlm_gl_var", "8CE5", "grey level variance, run lengths"),
    Feature("rlm_rl_var", "SXLW", "run length variance, run lengths"),
    Feature("rlm_rl_entr", "HJ9O", "run entropy, run lengths"),
)

GLSZM: tuple[Feature, ...] = (
    Feature("szm_sze", "5QRC", "small zone emphasis, size zones"),
    Feature("szm_lze", "48P8", "large zone emphasis, size zones"),
    Feature("szm_lgze", "XMSY", "low grey level zone emphasis, size zones"),
    Feature("szm_hgze", "5GN9", "high grey level zone emphasis, size zones"),
    Feature("szm_szlge", "5RAI", "small zone low grey level emphasis, size zones"),
    Feature("szm_szhge", "HW1V", "small zone high grey level emphasis, size zones"),
    Feature("szm_lzlge", "YH51", "large zone low grey level emphasis, size zones"),
    Feature("szm_lzhge", "J17V", "large zone high grey level emphasis, size zones"),
    Feature("szm_glnu", "JNSA", "grey level non-uniformity, size zones"),
    Feature("szm_glnu_norm", "Y1RO", "normalised grey level non-uniformity, size zones"),
    Feature("szm_zsnu", "4JP3", "zone size non-uniformity, size zones"),
    Feature("szm_zsnu_norm", "VB3A", "normalised zone size non-uniformity, size zones"),
    Feature("szm_z_perc", "P30P", "zone percentage, size zones"),
    Feature("szm_gl_var", "BYLV", "grey level variance, size zones"),
    Feature("szm_zs_var", "3NSA", "zone size variance, size zones"),
    Feature("szm_zs_entr", "GU8N", "zone size entropy, size zones"),
)

GLDZM: tuple[Feature, ...] = (
    Feature("dzm_sde", "0GBI", "small distance emphasis, distance zones"),
    Feature("dzm_lde", "MB4I", "large distance emphasis, distance zones"),
    Feature("dzm_lgze", "S1RA", "low grey level zone emphasis, distance zones"),
    Feature("dzm_hgze", "K26C", "high grey level zone emphasis, distance zones"),
    Feature("dzm_sdlge", "RUVG", "small distance low grey level emphasis, distance zones"),
    Feature("dzm_sdhge", "DKNJ", "small distance high grey level emphasis, distance zones"),
    Feature("dzm_ldlge", "A7WM", "large distance low grey level emphasis, distance zones"),
    Feature("dzm_ldhge", "KLTH", "large distance high grey level emphasis, distance zones"),
    Feature("dzm_glnu", "VFT7", "grey level non-uniformity, distance zones"),
    Feature("dzm_glnu_norm", "7HP3", "normalised grey level non-uniformity, distance zones"),
    Feature("dzm_zdnu", "V294", "zone distance non-uniformity, distance zones"),
    Feature("dzm_zdnu_norm", "IATH", "normalised zone distance non-uniformity, distance zones"),
    Feature("dzm_z_perc", "VIWW", "zone percentage, distance zones"),
    Feature("dzm_gl_var", "QK93", "grey level variance, distance zones"),
    Feature("dzm_zd_var", "7WT1", "zone distance variance, distance zones"),
    Feature("dzm_zd_entr", "GBDU", "zone distance entropy, distance zones"),
)

NGTDM: tuple[Feature, ...] = (
    Feature("ngt_coarseness", "QCDE", "coarseness, grey tone differences"),
    Feature("ngt_contrast", "65HE", "contrast, grey tone differences"),
    Feature("ngt_busyness", "NQ30", "busyness, grey tone differences"),
    Feature("ngt_complexity", "HDEZ", "complexity, grey tone differences"),
    Feature("ngt_strength", "1X9X", "strength, grey tone differences"),
)

NGLDM: tuple[Feature, ...] = (
    Feature("ngl_lde", "SODN", "low dependence emphasis, dependences"),
    Feature("ngl_hde", "IMOQ", "high dependence emphasis, dependences"),
    Feature("ngl_lgce", "TL9H", "low grey level count emphasis, dependences"),
    Feature("ngl_hgce", "OAE7", "high grey level count emphasis, dependences"),
    Feature("ngl_ldlge", "EQ3F", "low dependence low grey level emphasis, dependences"),
    Feature("ngl_ldhge", "JA6D", "low dependence high grey level emphasis, dependences"),
    Feature("ngl_hdlge", "NBZI", "high dependence low grey level emphasis, dependences"),
    Feature("ngl_hdhge", "9QMG", "high dependence high grey level emphasis, dependences"),
    Feature("ngl_glnu", "FP8K", "grey level non-uniformity, dependences"),
    Feature("ngl_glnu_norm", "5SPA", "normalised grey level non-uniformity, dependences"),
    Feature("ngl_dcnu", "Z87G", "dependence count non-uniformity, dependences"),
    Feature("ngl_dcnu_norm", "OKJI", "normalised dependence count non-uniformity, dependences"),
    Feature("ngl_dc_perc", "6XV8", "dependence count percentage, dependences"),
    Feature("ngl_gl_var", "1PFV", "grey level variance, dependences"),
    Feature("ngl_dc_var", "DNX2", "dependence count variance, dependences"),
    Feature("ngl_dc_entr", "FCBV", "dependence count entropy, dependences"),
    Feature("ngl_dc_energy", "CAS9", "dependence count energy, dependences"),
)

AGGREGATED: dict[str, str] = {
    "2D_avg": "mean over directions and slices",
    "2D_comb": "directions merged, mean over slices",
    "2_5D_avg": "slices merged, mean over directions",
    "2_5D_comb": "slices and directions merged",
    "3D_avg": "mean over directions of the volume",
    "3D_comb": "directions of the volume merged",
}
DIMENSIONED: dict[str, str] = {"2D": "mean over slices", "2_5D": "slices merged", "3D": "of the volume"}


def _each(table: tuple[Feature, ...], suffixes: dict[str, str]) -> list[Feature]:
    """The features of a texture family with each suffix."""
    return [
        f._replace(name=f"{f.name}_{suffix}", title=f"{f.title}; {words}")
        for suffix, words in suffixes.items()
        for f in table
    ]


TEXTURE: tuple[Feature, ...] = (
    *_each(GLCM, AGGREGATED),
    *_each(GLRLM, AGGREGATED),
    *_each(GLSZM, DIMENSIONED),
    *_each(GLDZM, DIMENSIONED),
    *_each(NGTDM, DIMENSIONED),
    *_each(NGLDM, DIMENSIONED),
)

FEATURES: dict[str, Feature] = {
    f.name: f
    for f in (
        *MORPHOLOGY,
        *PLANAR,
        *SLICE,
        *PROPS,
        *MOMENTS,
        *FOURIER,
        *LBP,
        *HOG,
        *PART,
        *STATISTICS,
        *AUTOCORRELATION,
        *ENCLOSURE,
        *PEAK,
        *HISTOGRAM,
        *IVH,
        *TEXTURE,
    )
}
