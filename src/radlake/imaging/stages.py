"""The door between pixel chains and this room: all its steps.

A step that applies one operation is a line here (see `steps`); others are in `mask_stages` and `cohort_stages`.
"""

from __future__ import annotations

from radlake.core.image import Image
from radlake.core.stage import Item, Rows, Stage
from radlake.imaging import (
    bandpass,
    cohort_stages,
    denoise,
    edges,
    enhance,
    filters,
    gabor,
    laws,
    mask_stages,
    morphology,
    resample,
    segment,
    wavelets,
)
from radlake.imaging.preview import png_bytes, thumbnail
from radlake.imaging.steps import FILE, Made, Options, made, other_image

_SHOWABLE = ("clean", "redacted")  # states of images.pixel_text in which no text can be seen
_BALL = {"radius_mm": 1.0, "footprint": "ball"}
_EDGE_KEEPING = {"sigma_mm": 1.0, "sigma_value": 30.0}
_ALIKE = {"strength": 30.0, "patch_radius_mm": 1.0, "search_radius_mm": 4.0}
_TEXTURE = {"kernels": "L5E5", "pooling": "max", "energy_vox": 7}
_SLOPE = {"order": (1, 0), "level": 1}
_WAVE = {"sigma_mm": 5.0, "wavelength_mm": 4.0, "aspect": 1.5, "angle_deg": 45.0, "pooling": "average"}


def is_mr(image: Image, _: Options) -> bool:
    """Bias fields come from MR coils."""
    return image.kind == "mr"


def in_hounsfield(image: Image, _: Options) -> bool:
    """Body and lungs are found by Hounsfield units."""
    return image.unit == "HU"


def is_volume(image: Image, _: Options) -> bool:
    """A slice has no axes to exchange."""
    return image.geometry.ndim == 3


def has_those_axes(image: Image, options: Options) -> bool:
    """Places given in voxels are for images of that many axes."""
    return all(
        len(options[name]) == image.geometry.ndim for name in ("start", "stop", "before", "after") if name in options
    )


def has_axes_of_reference(image: Image, options: Options) -> bool:
    """Volumes go with volumes, slices with slices."""
    return image.geometry.ndim == other_image(options[FILE]).geometry.ndim


def has_seeds(image: Image, options: Options) -> bool:
    """Seeds given in voxels are for images of that many axes."""
    return all(len(seed) == image.geometry.ndim for seed in options["seeds_vox"] or ())


def window_fits(image: Image, options: Options) -> bool:
    """Windows with names are for CT."""
    return options["name"] is None or image.unit == "HU"


def preview(item: Item, *, image: str = "original", longest: int = 256) -> Rows:
    """Keep a small picture, unless text in the pixels could identify somebody.

    Parameters
    ----------
    item : Item
        An image with its pixels.
    image : str
        Name of the image to use.
    longest : int
        Longer side in pixels.
    """
    if item.row.get("pixel_text") not in _SHOWABLE:
        return []
    picture = thumbnail(item.images[image], longest=longest)
    reference = item.context.objects.put(png_bytes(picture), ".png")
    height, width = picture.shape[:2]
    return [
        ("previews", {"owner": item.id, "image_id": item.id, "object": reference, "width": width, "height": height})
    ]


_FILTERS = (
    made("filter.gaussian", 1, Made(filters.gaussian, "image", "image", "smooth", defaults={"sigma_mm": 1.0}), 6),
    made("filter.mean", 2, Made(filters.mean, "image", "image", "mean", defaults={"radius_mm": 1.0}), 8),
    made("filter.median", 1, Made(filters.median, "image", "image", "median", defaults={"radius_mm": 1.0}), 18),
    made("filter.unsharp", 1, Made(filters.unsharp, "image", "image", "sharp", defaults={"sigma_mm": 1.0}), 24),
    made("filter.bilateral", 1, Made(denoise.bilateral, "image", "image", "bilateral", defaults=_EDGE_KEEPING), 16),
    made(
        "filter.non_local_means", 1,
        Made(denoise.non_local_means, "image", "image", "non_local_means", defaults=_ALIKE), 20,
    ),
    made(
        "filter.anisotropic_diffusion", 1,
        Made(denoise.anisotropic_diffusion, "image", "image", "diffused", defaults={"slope": 20.0}), 16,
    ),
)  # fmt: skip

_RESPONSES = (
    made(
        "filter.laplacian_of_gaussian", 1,
        Made(bandpass.laplacian_of_gaussian, "image", "image", "log", defaults={"sigma_mm": 1.5}), 16,
    ),
    made("filter.laws", 1, Made(laws.laws, "image", "image", "laws", defaults=_TEXTURE), 28),
    made("filter.gabor", 1, Made(gabor.gabor, "image", "image", "gabor", defaults=_WAVE), 28),
    made(
        "filter.wavelet", 1,
        Made(wavelets.wavelet, "image", "image", "wavelet", defaults={"bands": "LH", "pooling": "average"}), 28,
    ),
    # small volumes go on for half their size each way: eight times the voxels, of 13 bytes and more
    made("filter.simoncelli", 1, Made(bandpass.simoncelli, "image", "image", "simoncelli"), 110),
    made("filter.riesz", 1, Made(bandpass.riesz, "image", "image", "riesz", defaults=_SLOPE), 130),
)  # fmt: skip

_EDGES = (
    made("edges.gradient", 3, Made(edges.gradient, "image", "image", "slope"), 32),
    made("edges.gradient_magnitude", 2, Made(edges.gradient_magnitude, "image", "image", "gradient_magnitude"), 32),
    made("edges.sobel", 2, Made(edges.sobel, "image", "image", "sobel"), 32),
    made("edges.prewitt", 2, Made(edges.prewitt, "image", "image", "prewitt"), 32),
    made("edges.scharr", 2, Made(edges.scharr, "image", "image", "scharr"), 32),
    made("edges.laplacian", 3, Made(edges.laplacian, "image", "image", "laplacian"), 32),
    made(
        "edges.laplacian_of_gaussian", 2,
        Made(edges.laplacian_of_gaussian, "image", "image", "laplacian_of_gaussian", defaults={"sigma_mm": 1.0}), 24,
    ),
    made(
        "edges.canny", 2,
        Made(edges.canny, "image", "mask", "edges", "edges", {"low": 20.0, "high": 50.0, "sigma_mm": 1.0}), 60,
    ),
)  # fmt: skip

_ENHANCEMENT = (
    made("enhance.window", 1, Made(enhance.window, "image", "image", "windowed", only=window_fits), 24),
    made("enhance.equalize", 1, Made(enhance.equalize, "image", "image", "equalized"), 24),
    made("enhance.clahe", 4, Made(enhance.clahe, "image", "image", "clahe", defaults={"tile_mm": 40.0}), 40),
    made("enhance.match_histogram", 1, Made(enhance.match_histogram, "image", "image", "matched"), 40),
    made(
        "enhance.z_score", 2, Made(enhance.z_score, "image", "image", "z_score", defaults={"mask": "foreground"}), 24
    ),
    made("enhance.nyul", 1, Made(enhance.nyul, "image", "image", "nyul"), 40),
    made("enhance.n4", 1, Made(enhance.n4, "image", "image", "n4", only=is_mr), 48),
)  # fmt: skip

_GREY_MORPHOLOGY = (
    ("dilate", morphology.dilate, "dilated", 18),
    ("erode", morphology.erode, "eroded", 18),
    ("opening", morphology.opening, "opened", 22),
    ("closing", morphology.closing, "closed", 22),
    ("gradient", morphology.gradient, "gradient", 24),
    ("top_hat", morphology.top_hat, "top_hat", 24),
    ("black_hat", morphology.black_hat, "black_hat", 24),
)

_MORPHOLOGY = (
    *(
        made(f"morphology.{name}", 1, Made(operation, "image", "image", to, defaults=_BALL), megabytes)
        for name, operation, to, megabytes in _GREY_MORPHOLOGY
    ),
    made("morphology.fill_holes", 1, Made(morphology.fill_holes, "mask", "mask", "filled"), 10),
    made(
        "morphology.remove_small", 1,
        Made(morphology.remove_small, "mask", "mask", "cleaned", defaults={"least_mm": 10.0}), 10,
    ),
    made("morphology.skeleton", 1, Made(morphology.skeleton, "mask", "mask", "skeleton"), 16),
    made("morphology.distance_map", 2, Made(morphology.distance_map, "mask", "image", "distance"), 16),
)  # fmt: skip

_MASKS = (
    *(
        made(f"mask.{name}", 1, Made(operation, "mask", "mask", to, defaults=_BALL), megabytes)
        for name, operation, to, megabytes in _GREY_MORPHOLOGY[:4]
    ),
    made(
        "mask.components", 1, Made(segment.components, "mask", "labels", "components", "component", {"most": 20}), 24
    ),
    made("mask.largest_component", 1, Made(segment.largest_component, "mask", "mask", "largest"), 12),
)  # fmt: skip

_SEGMENTATION = (
    made("segment.otsu", 3, Made(segment.otsu, "image", "mask", "foreground", "foreground", {"largest": True}), 7),
    made("segment.foreground", 2, Made(segment.foreground, "image", "mask", "foreground", "foreground"), 8),
    made("segment.li", 1, Made(segment.li, "image", "mask", "foreground", "foreground"), 8),
    made("segment.triangle", 1, Made(segment.triangle, "image", "mask", "foreground", "foreground"), 8),
    made("segment.multi_otsu", 1, Made(segment.multi_otsu, "image", "labels", "classes", "class"), 12),
    made("segment.k_means", 1, Made(segment.k_means, "image", "labels", "classes", "class"), 12),
    made("segment.gaussian_mixture", 1, Made(segment.gaussian_mixture, "image", "labels", "classes", "class"), 40),
    made("segment.grow", 1, Made(segment.grow, "image", "mask", "grown", "grown", only=has_seeds, absent=True), 12),
    made("segment.watershed", 2, Made(segment.watershed, "image", "labels", "basins", "basin"), 80),
    made("segment.random_walker", 1, Made(segment.random_walker, "image", "labels", "walked", "walked"), 400),
    made("segment.chan_vese", 1, Made(segment.chan_vese, "image", "mask", "contour", "contour"), 60),
    made(
        "segment.geodesic", 1,
        Made(segment.geodesic, "image", "mask", "contour", "contour", {"sigma_mm": 1.0, "edge": 20.0}), 60,
    ),
    made("segment.body", 1, Made(segment.body, "image", "mask", "body", "body", only=in_hounsfield), 12),
    made(
        "segment.lungs", 1,
        Made(segment.lungs, "image", "mask", "lungs", "lungs", only=in_hounsfield, absent=True), 24,
    ),
)  # fmt: skip

_GEOMETRY = (
    made(
        "resample.to_spacing", 1,
        Made(resample.to_spacing, "image", "image", "resampled", defaults={"spacing_mm": 1.0}), 24,
    ),
    made("resample.to_grid", 1, Made(resample.to_grid, "image", "image", "resampled", only=has_axes_of_reference), 40),
    made(
        "resample.register", 1, Made(resample.register, "image", "image", "registered", only=has_axes_of_reference), 60
    ),
    made("resample.crop", 1, Made(resample.crop, "image", "image", "cropped", only=has_those_axes), 4),
    made(
        "resample.crop_to", 1,
        Made(resample.crop_to, "image", "image", "cropped", defaults={"mask": "foreground"}), 4,
    ),
    made("resample.pad", 1, Made(resample.pad, "image", "image", "padded", only=has_those_axes), 8),
    made("resample.reorient", 1, Made(resample.reorient, "image", "image", "reoriented", only=is_volume), 8),
)  # fmt: skip

STAGES: dict[str, Stage] = {
    stage.name: stage
    for stage in (
        *_FILTERS,
        *_RESPONSES,
        *_EDGES,
        *_ENHANCEMENT,
        *_MORPHOLOGY,
        *_MASKS,
        *_SEGMENTATION,
        *_GEOMETRY,
        *mask_stages.STAGES.values(),
        *cohort_stages.STAGES.values(),
        Stage("preview", 1, "each", "images", ("image:{image}",), ("previews",), preview, megabytes_per_megavoxel=1),
    )
}
