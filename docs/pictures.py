"""Draw the pictures of docs/imaging.md: every imaging operation on a real CT, MR, ultrasound or chest radiograph.

    python docs/pictures.py [FOLDER]      # docs/pictures by default

The images are test files of pydicom and of pydicom-data (both MIT licence), of which the latter is a development tool.
Each sheet begins with the originals; a mask is drawn as an outline, labels in colours. Sheets are JPEG to stay small.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from pydicom.data import get_testdata_file

from radlake.core.image import Geometry, Image
from radlake.formats.read import read_image
from radlake.imaging import edges, enhance, filters, morphology, resample, segment
from radlake.imaging.channels import scalar
from radlake.imaging.compare import side_by_side
from radlake.imaging.labels import as_mask

SIDE = 208  # of a tile, in pixels
COLUMNS = 4
QUALITY = 58
LABEL = 20
GAP = 8  # between the halves of a comparison


class Tile(NamedTuple):
    """One operation: its step, what it is shown on, and how it is called there."""

    step: str
    kind: str
    make: Callable[[Image], Image]
    shared: bool = True


def plane(name: str, rows: slice, columns: slice) -> Image:
    """Part of a picture that pydicom ships, at its place."""
    image = scalar(read_image(get_testdata_file(name)))
    return resample.crop(image, start=(rows.start, columns.start), stop=(rows.stop, columns.stop))


def originals() -> dict[str, Image]:
    """A CT of the head, an MR of the abdomen, an ultrasound of the heart, a radiograph of the chest, and masks."""
    ct = plane("J2K_pixelrep_mismatch.dcm", slice(20, 490), slice(30, 500))
    ct = replace(ct, window=(40.0, 160.0))
    mr = plane("examples_overlay.dcm", slice(0, 300), slice(30, 330))
    us = plane("examples_ybr_color.dcm", slice(10, 210), slice(60, 260))
    # whose header says 0.000 mm: lengths on it are in the pixels of the detector
    xr = resample.to_spacing(
        replace(plane("RG1_J2KI.dcm", slice(40, 1940), slice(0, 1841)), window=None), spacing_mm=4.0
    )
    skull = as_mask(ct, ct.array > 250)
    rough = as_mask(mr, np.zeros(mr.array.shape, np.bool_))
    rough.array[110:165, 40:70] = True
    return {"CT": ct, "MR": mr, "US": us, "XR": xr, "skull": skull, "rough": rough}


def kidney(mr: Image) -> Image:
    """Seeds inside a kidney and around it."""
    marks = np.zeros(mr.array.shape, np.uint8)
    marks[228:236, 98:112] = marks[198:206, 140:148] = 1
    marks[175:178, 80:160] = marks[255:258, 80:160] = 2
    marks[175:258, 78:81] = marks[175:258, 160:163] = 2
    return as_mask(mr, marks)


def grown(mr: Image) -> Image:
    """The kidney from one seed."""
    level = float(np.median(mr.array[228:236, 98:112]))
    return segment.grow(filters.median(mr, radius_mm=1.5), seeds_vox=[(232, 105)], low=0.7 * level, high=2 * level)


def readings(mr: Image) -> list[Image]:
    """Three masks of what is bright."""
    smooth = filters.gaussian(mr, sigma_mm=3.0)
    return [method(smooth) for method in (segment.otsu, segment.li, segment.triangle)]


def turned(image: Image) -> Image:
    """The image as if the patient had turned by 9 degrees and moved by 12 mm."""
    angle, old = np.deg2rad(9), image.geometry
    down, right = (np.asarray(d) for d in old.direction)
    rows = (down * np.cos(angle) - right * np.sin(angle), right * np.cos(angle) + down * np.sin(angle))
    geometry = Geometry(old.spacing, tuple(np.asarray(old.origin) + 12 * right), (tuple(rows[0]), tuple(rows[1])))
    return replace(image, geometry=geometry)


def sheets(shown: dict[str, Image]) -> dict[str, list[Tile]]:
    """All operations by the sheet they are on."""
    skull, rough, ct = shown["skull"], shown["rough"], shown["CT"]
    return {
        "filters": [
            Tile("filter.gaussian", "CT", lambda i: filters.gaussian(i, sigma_mm=1.0)),
            Tile("filter.mean", "CT", lambda i: filters.mean(i, radius_mm=1.5)),
            Tile("filter.median", "CT", lambda i: filters.median(i, radius_mm=1.5)),
            Tile("filter.unsharp", "XR", lambda i: filters.unsharp(i, sigma_mm=30.0, amount=0.8)),
            Tile("filter.bilateral", "CT", lambda i: filters.bilateral(i, sigma_mm=1.0, sigma_value=25.0)),
            Tile(
                "filter.non_local_means",
                "CT",
                lambda i: filters.non_local_means(i, strength=12.0, patch_radius_mm=1.0, search_radius_mm=4.0),
            ),
            Tile("filter.anisotropic_diffusion", "US", lambda i: filters.anisotropic_diffusion(i, slope=12.0)),
            Tile("filter.laplacian_of_gaussian", "CT", lambda i: filters.laplacian_of_gaussian(i, sigma_mm=1.5), False),
            Tile("filter.laws", "MR", lambda i: filters.laws(i, kernels="L5E5"), False),
            Tile("filter.gabor", "MR", lambda i: filters.gabor(i, sigma_mm=3.0, wavelength_mm=6.0), False),
            Tile("filter.wavelet", "MR", lambda i: filters.wavelet(i, bands="LH"), False),
            Tile("filter.simoncelli", "MR", filters.simoncelli, False),
            Tile("filter.riesz", "MR", lambda i: filters.riesz(i, order=(1, 0)), False),
        ],
        "edges": [
            Tile("edges.gradient", "CT", lambda i: edges.gradient(i, axis=1), False),
            Tile("edges.gradient_magnitude", "CT", edges.gradient_magnitude, False),
            Tile("edges.sobel", "XR", edges.sobel, False),
            Tile("edges.prewitt", "MR", edges.prewitt, False),
            Tile("edges.scharr", "US", edges.scharr, False),
            Tile("edges.laplacian", "MR", edges.laplacian, False),
            Tile("edges.laplacian_of_gaussian", "US", lambda i: edges.laplacian_of_gaussian(i, sigma_mm=2.0), False),
            Tile("edges.canny", "CT", lambda i: edges.canny(i, low=15.0, high=50.0, sigma_mm=1.2)),
        ],
        "enhance": [
            Tile("enhance.window", "CT", lambda i: enhance.window(i, name="bone"), False),
            Tile("enhance.equalize", "US", enhance.equalize, False),
            Tile("enhance.clahe", "XR", lambda i: enhance.clahe(i, tile_mm=400.0), False),
            Tile("enhance.match_histogram", "MR", lambda i: enhance.match_histogram(i, shown["US"]), False),
            Tile("enhance.z_score", "MR", lambda i: enhance.z_score(i, mask=segment.foreground(i)), False),
            Tile(
                "enhance.nyul",
                "MR",
                lambda i: enhance.apply_nyul(i, enhance.fit_nyul([i, i.with_array(i.array * 2)])),
                False,
            ),
            Tile("enhance.n4", "MR", lambda i: enhance.n4(i, mask=segment.foreground(i)), False),
        ],
        "morphology": [
            Tile("morphology.dilate", "MR", lambda i: morphology.dilate(i, radius_mm=2.0, footprint="ball")),
            Tile("morphology.erode", "MR", lambda i: morphology.erode(i, radius_mm=2.0, footprint="ball")),
            Tile("morphology.opening", "MR", lambda i: morphology.opening(i, radius_mm=3.0, footprint="ball")),
            Tile("morphology.closing", "US", lambda i: morphology.closing(i, radius_mm=3.0, footprint="ball")),
            Tile("morphology.gradient", "CT", lambda i: morphology.gradient(i, radius_mm=1.0, footprint="ball"), False),
            Tile("morphology.top_hat", "XR", lambda i: morphology.top_hat(i, radius_mm=80.0, footprint="ball"), False),
            Tile(
                "morphology.black_hat", "MR", lambda i: morphology.black_hat(i, radius_mm=5.0, footprint="ball"), False
            ),
        ],
        "masks": [
            Tile("morphology.fill_holes", "CT", lambda _: morphology.fill_holes(skull)),
            Tile("morphology.remove_small", "CT", lambda _: morphology.remove_small(skull, least_mm=200.0)),
            Tile("morphology.skeleton", "CT", lambda _: morphology.skeleton(skull)),
            Tile(
                "morphology.distance_map", "CT", lambda _: morphology.distance_map(morphology.fill_holes(skull)), False
            ),
            Tile("mask.dilate", "CT", lambda _: morphology.dilate(skull, radius_mm=3.0, footprint="ball")),
            Tile("mask.erode", "CT", lambda _: morphology.erode(skull, radius_mm=0.8, footprint="ball")),
            Tile("mask.opening", "CT", lambda _: morphology.opening(skull, radius_mm=1.5, footprint="ball")),
            Tile("mask.closing", "CT", lambda _: morphology.closing(skull, radius_mm=4.0, footprint="ball")),
            Tile("mask.components", "CT", lambda _: segment.components(skull, most=5)),
            Tile("mask.largest_component", "CT", lambda _: segment.largest_component(skull)),
        ],
        "segment": [
            Tile("segment.otsu", "CT", segment.otsu),
            Tile("segment.foreground", "MR", segment.foreground),
            Tile("segment.li", "MR", segment.li),
            Tile("segment.triangle", "US", segment.triangle),
            Tile("segment.multi_otsu", "XR", lambda i: segment.multi_otsu(i, classes=4)),
            Tile("segment.k_means", "MR", lambda i: segment.k_means(i, classes=4)),
            Tile("segment.gaussian_mixture", "MR", lambda i: segment.gaussian_mixture(i, classes=4)),
        ],
        "regions": [
            Tile("segment.grow", "MR", grown),
            Tile(
                "segment.watershed",
                "MR",
                lambda i: segment.watershed(edges.sobel(filters.gaussian(i, sigma_mm=1.5)), markers=kidney(i)),
            ),
            Tile("segment.random_walker", "MR", lambda i: segment.random_walker(i, markers=kidney(i))),
            Tile("segment.chan_vese", "MR", lambda i: segment.chan_vese(i, initial=rough, smoothing=2)),
            Tile(
                "segment.geodesic",
                "MR",
                lambda i: segment.geodesic(i, initial=rough, sigma_mm=2.0, edge=12.0, iterations=300),
            ),
            Tile("segment.body", "CT", segment.body),
            Tile("mask.majority", "MR", lambda i: segment.majority(readings(i))),
            Tile("mask.staple", "MR", lambda i: segment.likely(readings(i))),
        ],
        "resample": [
            Tile("resample.to_spacing", "CT", lambda i: resample.to_spacing(i, spacing_mm=3.0)),
            Tile(
                "resample.to_grid", "US", lambda i: resample.to_grid(i, resample.pad(i, before=(40, 40), after=(0, 0)))
            ),
            Tile("resample.register", "MR", lambda i: resample.register(turned(i), i)),
            Tile("resample.crop", "XR", lambda i: resample.crop(i, start=(150, 270), stop=(350, 430))),
            Tile("resample.crop_to", "CT", lambda i: resample.crop_to(i, segment.body(i), margin_mm=2.0)),
            Tile("resample.pad", "US", lambda i: resample.pad(i, before=(30, 30), after=(30, 30))),
            Tile("resample.reorient", "CT", lambda _: resample.reorient(as_volume(ct), axes="SPR")),
        ],
    }


def as_volume(image: Image) -> Image:
    """A slice as a volume of one."""
    down, right = (np.asarray(d) for d in image.geometry.direction)
    geometry = replace(
        image.geometry,
        spacing=(1.0, *image.geometry.spacing),
        direction=(tuple(np.cross(right, down)), *image.geometry.direction),
    )
    return replace(image, array=image.array[None], geometry=geometry)


def drawn(tile: Tile, shown: dict[str, Image]) -> np.ndarray:
    """The right half of what --compare writes."""
    original = shown[tile.kind]
    result = tile.make(original)
    both = side_by_side(original, result, shared=tile.shared, longest=SIDE)
    return labelled(both[:, left_half(original).shape[1] + GAP :], f"{tile.step} ({tile.kind})")


def left_half(image: Image) -> np.ndarray:
    """The original as --compare shows it, with its scale bar."""
    both = side_by_side(image, image, longest=SIDE)
    return both[:, : (both.shape[1] - GAP) // 2]


def labelled(picture: np.ndarray, text: str) -> np.ndarray:
    """A picture in a tile with its name below."""
    scale = SIDE / max(picture.shape[:2])
    small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    tile = np.full((SIDE + LABEL, SIDE, 3), 255, np.uint8)
    top, left = (SIDE - small.shape[0]) // 2, (SIDE - small.shape[1]) // 2
    tile[top : top + small.shape[0], left : left + small.shape[1]] = small
    cv2.putText(tile, text, (2, SIDE + 14), cv2.FONT_HERSHEY_SIMPLEX, 0.36, (0, 0, 0), 1, cv2.LINE_AA)
    return tile


def sheet(tiles: list[np.ndarray]) -> np.ndarray:
    """Tiles in rows on white."""
    blank = np.full_like(tiles[0], 255)
    tiles = tiles + [blank] * (-len(tiles) % COLUMNS)
    rows = [np.concatenate(tiles[i : i + COLUMNS], axis=1) for i in range(0, len(tiles), COLUMNS)]
    return np.concatenate(rows)


def main(folder: Path) -> None:
    """Write all sheets."""
    shown = originals()
    for name, tiles in sheets(shown).items():
        first = [
            labelled(left_half(shown[kind]), kind)
            for kind in ("CT", "MR", "US", "XR")
            if any(tile.kind == kind for tile in tiles)
        ]
        picture = sheet(first + [drawn(tile, shown) for tile in tiles])
        cv2.imwrite(str(folder / f"{name}.jpg"), picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, QUALITY])


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "pictures")
