"""Volumes larger than memory: an operation on one slab after another, each with as many planes round it as it needs.

`HALOS` says how far along z every local operation looks; the result is bit for bit that of the whole volume at once.
Operations that look at the whole image, such as histogram equalisation, are not in it and are refused. Files are .npy,
NIfTI or Zarr; they are read and written slab by slab, never mapped.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np

from radlake.core.image import Array, Geometry
from radlake.imaging import EDGES, FILTERS, MORPHOLOGY, RESPONSES
from radlake.imaging.arguments import Spacing, box_size, in_voxels, spacing_of
from radlake.imaging.laws import chains_of as laws_chains
from radlake.imaging.slab_files import open_source, target_of
from radlake.imaging.wavelets import chains_of as wavelet_chains

Options = Mapping[str, Any]


class Volume(Protocol):
    """What slabs are taken from: a numpy array, mapped or not, a Zarr array, or a file."""

    @property
    def shape(self) -> tuple[int, ...]:
        """(z, y, x)."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the samples."""

    def __getitem__(self, planes: slice, /) -> Any:
        """Planes as an array."""


class Local(NamedTuple):
    """How far an operation looks along z, in planes (None: over the whole volume), and its bytes a voxel of a slab."""

    halo: Callable[[Options, Spacing], int | None]
    bytes: int


OPERATIONS: dict[str, Callable[..., Any]] = {
    **{f"filter.{name}": function for name, function in {**FILTERS, **RESPONSES}.items()},
    **{f"edges.{name}": function for name, function in EDGES.items()},
    **{f"morphology.{name}": function for name, function in MORPHOLOGY.items()},
}


def filter_file(
    source: Path,
    target: Path,
    operation: str,
    *,
    spacing: Sequence[float] | None = None,
    memory_mib: int = 512,
    **options: Any,
) -> int:
    """Write the result of an operation on a volume in a file, with no more than a slab in memory.

    Parameters
    ----------
    source : Path
        A .npy file (C order), a NIfTI file or a Zarr folder with three axes: z, y, x.
    target : Path
        .npy, .nii, .nii.gz or .zarr, not the source; what was there is replaced when all is done. A Zarr target has the
        chunks of a Zarr source, a NIfTI target the place of a NIfTI source.
    operation : str
        A key of `HALOS`, named as steps of pipelines are: "filter.median".
    spacing : three floats, optional
        Millimetres between samples along each axis; 1 where absent. NIfTI has its own.
    memory_mib : int
        For a slab and the work on it, besides about 200 MiB of program.
    options
        Of the operation.

    Returns
    -------
    int
        How many slabs it took.

    Raises
    ------
    ValueError
        For an operation that is unknown or not local, a volume without three axes, parameters that do not fit, or so
        little memory that not even one plane fits; the message says how much is needed.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     source, target = Path(folder) / "ct.npy", Path(folder) / "smooth.npy"
    ...     np.save(source, np.eye(6, dtype=np.int16)[:, None])
    ...     slabs = filter_file(source, target, "filter.median", size_vox=(3, 1, 1))
    ...     slabs, int(np.load(target).sum())
    (1, 2)
    """
    if source.resolve() == target.resolve():
        raise ValueError("source and target are the same file")
    volume = open_source(source)
    geometry: Geometry | None = getattr(volume, "geometry", None)
    if geometry is not None and spacing is not None:
        raise ValueError("the file says its own spacing")
    geometry = geometry or Geometry(spacing_of(3, spacing), calibrated=spacing is not None)
    spacing, writer, slabs = geometry.spacing, None, 0
    with target_of(target, volume, geometry) as begin:
        for start, stop, result in slabs_of(volume, operation, spacing=spacing, memory_mib=memory_mib, **options):
            writer = writer or begin(result.dtype)
            writer(start, stop, result)
            slabs += 1
        if writer is None:
            raise ValueError("expected a volume with at least one plane")
    return slabs


def slabs_of(
    volume: Volume,
    operation: str,
    *,
    spacing: Sequence[float] | None = None,
    memory_mib: int = 512,
    **options: Any,
) -> Iterator[tuple[int, int, Array]]:
    """Result of an operation slab by slab: first plane, plane after the last, and what lies between.

    Parameters
    ----------
    volume : (z, y, x) array, memory-mapped or of Zarr
    operation, spacing, memory_mib, options
        As for `filter_file`.

    Raises
    ------
    ValueError
        As for `filter_file`.

    Examples
    --------
    >>> [(a, b) for a, b, _ in slabs_of(np.zeros((5, 1024, 1024), np.int8), "filter.mean", memory_mib=68, size_vox=3)]
    [(0, 1), (1, 2), (2, 3), (3, 4), (4, 5)]
    """
    if len(volume.shape) != 3:
        raise ValueError(f"expected a volume with three axes, got {len(volume.shape)}")
    steps = spacing_of(3, spacing)
    halo = halo_of(operation, options, steps)
    function, depth = OPERATIONS[operation], volume.shape[0]
    planes = _planes(volume, operation, halo, memory_mib)
    border = _complete(operation, options).get("border")
    for start in range(0, depth, planes):
        stop = min(start + planes, depth)
        if border == "wrap" and halo > 0:
            first = start - halo
            block = np.concatenate([volume[z % depth : z % depth + 1] for z in range(first, stop + halo)])
        else:
            first = max(start - halo, 0)
            block = np.asarray(volume[first : min(stop + halo, depth)])
        yield start, stop, function(block, spacing=steps, **options)[start - first : stop - first]


def halo_of(operation: str, options: Options, spacing: Spacing) -> int:
    """Planes that an operation looks at on each side of a sample.

    Raises
    ------
    ValueError
        When the operation is unknown, or needs the whole volume.

    Examples
    --------
    >>> halo_of("filter.gaussian", {"sigma_mm": 3.0}, (1.5, 0.7, 0.7))
    8
    """
    if operation not in HALOS:
        reason = "needs the whole volume at once" if operation in OPERATIONS else "is not one that goes by slabs"
        raise ValueError(f"operation {operation!r} {reason}; those are {', '.join(HALOS)}")
    halo = HALOS[operation].halo(_complete(operation, options), spacing)
    if halo is None:
        raise ValueError(f"operation {operation!r} needs the whole volume at once, unless it goes plane by plane")
    return halo


def _planes(volume: Volume, operation: str, halo: int, memory_mib: int) -> int:
    """Planes of a slab: what the memory holds, whole chunks where that is possible."""
    plane = math.prod(volume.shape[1:]) * (HALOS[operation].bytes + volume.dtype.itemsize)
    planes = (memory_mib << 20) // max(plane, 1) - 2 * halo
    if planes < 1:
        needed = -(-plane * (2 * halo + 1) // (1 << 20))
        raise ValueError(f"one plane and its {2 * halo} neighbours need {needed} MiB, got {memory_mib} MiB")
    chunk = (getattr(volume, "chunks", None) or (1,))[0]
    return planes // chunk * chunk if planes >= chunk else planes


def _complete(operation: str, options: Options) -> dict[str, Any]:
    """Options with the defaults of those that are not given.

    Raises
    ------
    ValueError
        For one that the operation does not have.
    """
    signature = inspect.signature(OPERATIONS[operation])
    try:
        bound = signature.bind_partial(**options)
    except TypeError:
        unknown = sorted(set(options) - set(signature.parameters))
        raise ValueError(f"operation {operation!r} has no parameter {unknown[0]!r}") from None
    bound.apply_defaults()
    return dict(bound.arguments)


def _sigma(options: Options, spacing: Spacing) -> float:
    """Standard deviation along z in voxels."""
    return in_voxels("sigma", options["sigma_mm"], options["sigma_vox"], spacing)[0]


def _box(options: Options, spacing: Spacing) -> int:
    """Half the side of a box along z."""
    return box_size(options["radius_mm"], options["size_vox"], spacing)[0] // 2


def _searched(options: Options, spacing: Spacing) -> int:
    """Half a patch and half a search box; 3 and 11 voxels where they are not given."""
    reach = 0
    for name, usual in (("patch", 3), ("search", 11)):
        radius, size = options[f"{name}_radius_mm"], options[f"{name}_size_vox"]
        reach += box_size(radius, usual if radius is None and size is None else size, spacing)[0] // 2
    return reach


def _kernels(options: Options, _spacing: Spacing) -> int:
    """Of three Laws kernels, however they are rotated, and of the energy after them; planes alone need nothing."""
    chains = laws_chains(options["kernels"])
    return 0 if len(chains) == 2 else max(k.size // 2 for c in chains for k in c) + (options["energy_vox"] or 0)


def _bands(options: Options, _spacing: Spacing) -> int:
    """Of the kernels of all levels."""
    chains = wavelet_chains(options["family"], options["bands"], options["level"])
    return 0 if len(chains) == 2 else max(sum(k.size // 2 for k in chain) for chain in chains)


def _next(_options: Options, _spacing: Spacing) -> int:
    """The neighbours."""
    return 1


HALOS: dict[str, Local] = {
    "filter.gaussian": Local(lambda o, s: int(4 * _sigma(o, s) + 0.5), 20),
    "filter.mean": Local(_box, 20),
    "filter.median": Local(_box, 20),
    "filter.unsharp": Local(lambda o, s: int(4 * _sigma(o, s) + 0.5), 32),
    "filter.bilateral": Local(lambda o, s: int(2 * _sigma(o, s) + 1e-9), 20),
    "filter.non_local_means": Local(_searched, 24),
    "filter.anisotropic_diffusion": Local(lambda o, _: int(o["iterations"]), 20),
    "filter.laplacian_of_gaussian": Local(lambda o, s: 0 if o["by_plane"] else int(4 * _sigma(o, s) + 0.5), 20),
    "filter.laws": Local(_kernels, 36),
    "filter.gabor": Local(lambda o, _: None if o["orthogonal"] else 0, 36),
    "filter.wavelet": Local(_bands, 36),
    "filter.simoncelli": Local(lambda o, _: 0 if o["by_plane"] else None, 20),
    "filter.riesz": Local(lambda o, _: 0 if len(o["order"]) == 2 else None, 24),
    "edges.gradient_magnitude": Local(_next, 36),
    "edges.sobel": Local(_next, 36),
    "edges.prewitt": Local(_next, 36),
    "edges.scharr": Local(_next, 36),
    "edges.laplacian": Local(_next, 36),
    "edges.laplacian_of_gaussian": Local(lambda o, s: max(1, round(4 * _sigma(o, s))), 28),
    "morphology.dilate": Local(_box, 16),
    "morphology.erode": Local(_box, 16),
    "morphology.opening": Local(lambda o, s: 2 * _box(o, s), 20),
    "morphology.closing": Local(lambda o, s: 2 * _box(o, s), 20),
    "morphology.gradient": Local(_box, 24),
    "morphology.top_hat": Local(lambda o, s: 2 * _box(o, s), 24),
    "morphology.black_hat": Local(lambda o, s: 2 * _box(o, s), 24),
}
