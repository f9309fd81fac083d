"""NIfTI-1 and NIfTI-2: header, pixels, and a writer.

Field offsets are those of nifti1.h and nifti2.h (https://nifti.nimh.nih.gov). World coordinates of NIfTI are RAS and
become LPS here by turning x and y; array axes stay as stored, so that no voxel is resampled.
"""

from __future__ import annotations

import gzip
import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from radlake.core.fault import Ignored, ItemError, Term
from radlake.core.header import Header
from radlake.core.image import Array, Geometry, Image
from radlake.core.stage import Row
from radlake.formats.source import Source
from radlake.formats.volume import Volume, checked, geometry_from_axes, header_of, image_of, read_samples

NAME = "nifti"
SUFFIXES = (".nii", ".hdr", ".img")
_HEADER_BYTES = {348: 1, 540: 2}
_RAS_TO_LPS = np.diag([-1.0, -1.0, 1.0])
_UNIT_MM = {0: 1.0, 1: 1000.0, 2: 1.0, 3: 0.001}  # unknown (taken as mm), metre, mm, micrometre
_TYPES = {
    2: "u1", 4: "i2", 8: "i4", 16: "f4", 64: "f8", 256: "i1", 512: "u2", 768: "u4", 1024: "i8", 1280: "u8",
    128: "u1", 2304: "u1",
}  # fmt: skip
_COLOURS = {128: 3, 2304: 4}  # RGB24, RGBA32: the channel runs fastest


class _Layout(NamedTuple):
    """Struct format and offset of each field, after nifti1.h or nifti2.h."""

    dim: tuple[str, int]
    datatype: tuple[str, int]
    pixdim: tuple[str, int]
    offset_slope_intercept: tuple[str, int]
    units: tuple[str, int]
    codes: tuple[str, int]
    quatern: tuple[str, int]
    srow: tuple[str, int]
    magic: int


_LAYOUTS = {
    1: _Layout(("8h", 40), ("h", 70), ("8f", 76), ("3f", 108), ("B", 123), ("2h", 252), ("6f", 256), ("12f", 280), 344),
    2: _Layout(("8q", 16), ("h", 12), ("8d", 104), ("q2d", 168), ("i", 500), ("2i", 344), ("6d", 352), ("12d", 400), 4),
}


@dataclass(frozen=True)
class NiftiHeader:
    """The fields of a NIfTI header that say how samples lie in the file and in space.

    Parameters
    ----------
    dim : tuple of int
        Extents, fastest axis first.
    datatype : int
        Code of nifti1.h.
    byte_order : {"<", ">"}
        Of the header and the samples.
    pixdim : tuple of float
        qfac, then the step along each axis in the header's unit.
    offset : int
        Of the first sample in its file.
    slope, intercept : float
        As stored; a slope of 0 means none.
    unit_mm : float
        Millimetres in the header's unit of length.
    qform_code, sform_code : int
        0: that transform is absent.
    quatern : tuple of 6 floats
        b, c, d and the offsets x, y, z.
    srow : tuple of 12 floats
        First three rows of the sform matrix.
    paired : bool
        True when the samples are in a file of their own (.hdr and .img).
    """

    dim: tuple[int, ...]
    datatype: int
    byte_order: str
    pixdim: tuple[float, ...]
    offset: int
    slope: float
    intercept: float
    unit_mm: float
    qform_code: int
    sform_code: int
    quatern: tuple[float, ...]
    srow: tuple[float, ...]
    paired: bool

    @property
    def affine(self) -> NDArray[np.float64]:
        """(4, 4) matrix from voxel index (i, j, k, 1) to RAS millimetres: sform, else qform, else voxel sizes.

        The order is that of nifti1.h, methods 3, 2 and 1, and of nibabel.
        """
        matrix = np.eye(4)
        if self.sform_code > 0:
            matrix[:3] = np.reshape(self.srow, (3, 4))
        elif self.qform_code > 0:
            qfac = -1.0 if self.pixdim[0] < 0 else 1.0
            matrix[:3, :3] = rotation(*self.quatern[:3]) * np.abs(self.pixdim[1:4]) * [1.0, 1.0, qfac]
            matrix[:3, 3] = self.quatern[3:]
        else:
            matrix[:3, :3] = np.diag([s or 1.0 for s in np.abs(self.pixdim[1:4])])
            # nibabel's rule for files without orientation: x grows to the left, the origin is the centre.
            matrix[0, 0] = -matrix[0, 0]
            shape = np.array([*self.dim, 1, 1, 1][:3])
            matrix[:3, 3] = -matrix[:3, :3] @ ((shape - 1) / 2)
        matrix[:3] *= self.unit_mm
        return matrix


def rotation(b: float, c: float, d: float) -> NDArray[np.float64]:
    """Rotation matrix of the unit quaternion (a, b, c, d), a from the others (nifti1.h, method 2).

    Examples
    --------
    >>> rotation(0.0, 0.0, 1.0).diagonal()
    array([-1., -1.,  1.])
    """
    a = math.sqrt(max(0.0, 1.0 - (b * b + c * c + d * d)))
    return np.array(
        [
            [a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)],
            [2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b)],
            [2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - b * b - c * c],
        ]
    )


def sniff(head: bytes, suffix: str) -> bool:
    """Whether the first bytes are a NIfTI header, or the suffix says so and they could be an older one."""
    return _version(head) is not None or (suffix in (".nii", ".hdr") and _analyze(head))


def parse(head: bytes) -> NiftiHeader:
    """Fields of a header from the first bytes of its file.

    Raises
    ------
    ItemError
        ``unreadable_header`` when they are none, ``unsupported_format`` for Analyze 7.5.
    """
    found = _version(head)
    if found is None:
        raise ItemError("unsupported_format", format=Term("Analyze 7.5")) if _analyze(head) else _unreadable()
    version, order = found
    layout = _LAYOUTS[version]

    def field(place: tuple[str, int]) -> tuple[float, ...]:
        return struct.unpack_from(order + place[0], head, place[1])

    count, *dim = (int(v) for v in field(layout.dim))
    if not 1 <= count <= 7:
        raise _unreadable()
    offset, slope, intercept = field(layout.offset_slope_intercept)
    qform_code, sform_code = (int(v) for v in field(layout.codes))
    paired = head[layout.magic : layout.magic + 2] == b"ni"
    return NiftiHeader(
        dim=tuple(dim[:count]),
        datatype=int(field(layout.datatype)[0]),
        byte_order=order,
        pixdim=field(layout.pixdim),
        offset=_offset(offset, paired=paired, header_bytes=348 if version == 1 else 540),
        slope=slope,
        intercept=intercept,
        unit_mm=_UNIT_MM.get(int(field(layout.units)[0]) & 7, 1.0),
        qform_code=qform_code,
        sform_code=sform_code,
        quatern=field(layout.quatern),
        srow=field(layout.srow),
        paired=paired,
    )


def scan(source: Source) -> list[Header]:
    """Header of the one volume in a NIfTI file."""
    if source.suffix == ".img":
        raise Ignored("side_file")
    volume, _ = layout_of(source)
    return [header_of(source, volume, NAME)]


def load(members: Sequence[Row], image: Row, *, memory_bytes: int) -> Image:
    """Image of a NIfTI file: (z, y, x), with time first and colour last where there are any."""
    member = members[0]
    source = Source(member["uri"], member.get("member_name"))
    volume, header = layout_of(source)
    samples = samples_of(source, header)
    expected = header.offset + volume.stored_bytes
    if not samples.gzipped and samples.stored_size < expected:
        raise ItemError("truncated_pixels", expected=expected, found=samples.stored_size)
    with samples.open() as stream:
        stream.seek(header.offset)
        return image_of(read_samples(stream, volume, memory_bytes=memory_bytes), volume, member)


def layout_of(source: Source) -> tuple[Volume, NiftiHeader]:
    """Layout of the samples that a header describes, and the header."""
    header = parse(source.read_at(0, 540))
    if header.datatype not in _TYPES:
        raise ItemError("unsupported_format", format=Term("NIfTI with complex or long double samples"))
    *space, frames, extra = _five(header.dim)
    if extra != 1:
        raise ItemError("unsupported_format", format=Term("NIfTI with vectors"))
    axes, shape = "zyx", space[::-1]
    if frames > 1:
        axes, shape = "t" + axes, [frames, *shape]
    if header.datatype in _COLOURS:
        axes, shape = axes + "c", [*shape, _COLOURS[header.datatype]]
    slope, intercept = _scaling(header)
    dtype = np.dtype(header.byte_order + _TYPES[header.datatype])
    volume = Volume(tuple(shape), axes, dtype, _geometry(header), slope, intercept)
    return checked(volume, samples_of(source, header)), header


def _geometry(header: NiftiHeader) -> Geometry:
    """LPS geometry in (z, y, x) order; an axis of one sample without a step gets its voxel size, or 1 mm."""
    affine = header.affine
    if not np.isfinite(affine).all():
        raise ItemError("contradictory_header", what=Term("voxel size or position"))
    steps, origin = _RAS_TO_LPS @ affine[:3, :3], _RAS_TO_LPS @ affine[:3, 3]
    extents = _five(header.dim)
    for axis in range(3):
        if extents[axis] == 1 and not steps[:, axis].any():
            normal = np.cross(steps[:, (axis + 1) % 3], steps[:, (axis + 2) % 3])
            length = float(np.linalg.norm(normal)) or 1.0
            steps[:, axis] = normal / length * (abs(header.pixdim[axis + 1]) or 1.0) * header.unit_mm
    return geometry_from_axes([steps[:, axis] for axis in (2, 1, 0)], origin)


def _five(dim: tuple[int, ...]) -> list[int]:
    """Extents of x, y, z, t and all that is beyond, absent ones 1."""
    padded = [*dim, 1, 1, 1, 1]
    return [*padded[:4], math.prod(max(d, 1) for d in dim[4:])]


def _scaling(header: NiftiHeader) -> tuple[float, float]:
    """Slope and intercept; a slope that is 0 or not finite means none (nifti1.h), and colours have none."""
    slope, intercept = header.slope, header.intercept
    if header.datatype in _COLOURS or slope == 0 or not math.isfinite(slope) or not math.isfinite(intercept):
        return 1.0, 0.0
    return slope, intercept


def samples_of(source: Source, header: NiftiHeader) -> Source:
    """The source that holds the samples: the .img beside a .hdr, else the file itself."""
    if not header.paired:
        return source
    stem = source.name.rpartition(".")[0]
    for suffix in (".img", ".img.gz", ".IMG"):
        found = source.sibling(stem + suffix)
        if found is not None:
            return found
    raise ItemError("no_pixels")


def _offset(stored: float, *, paired: bool, header_bytes: int) -> int:
    """Offset of the first sample; in one file it cannot lie inside the header."""
    if not (math.isfinite(stored) and 0 <= stored < 1 << 40):
        raise _unreadable()
    return int(stored) if paired else max(int(stored), header_bytes + 4)


def _version(head: bytes) -> tuple[int, str] | None:
    """NIfTI version and byte order by the header's own size and magic."""
    for order in "<>":
        if len(head) >= 348:
            version = _HEADER_BYTES.get(struct.unpack_from(order + "i", head)[0])
            if version == 1 and head[344:348] in (b"n+1\0", b"ni1\0"):
                return 1, order
            if version == 2 and len(head) >= 540 and head[4:8] in (b"n+2\0", b"ni2\0"):
                return 2, order
    return None


def _analyze(head: bytes) -> bool:
    """Whether the bytes start like an Analyze 7.5 header, whose axes have no agreed direction."""
    return len(head) >= 348 and 348 in (struct.unpack_from("<i", head)[0], struct.unpack_from(">i", head)[0])


def _unreadable() -> ItemError:
    return ItemError("unreadable_header")


def to_bytes(image: Image, *, packed: bool = True) -> bytes:
    """An image as the bytes of a NIfTI-1 file, gzipped unless `packed` is false; equal images give equal bytes.

    Boolean arrays are stored as unsigned bytes. Two spatial axes become a volume of one slice.

    Raises
    ------
    ValueError
        When the image has colours, or values of a type that NIfTI lacks.

    Examples
    --------
    >>> image = Image(np.ones((2, 3, 4), np.int16), Geometry((5.0, 1.0, 1.0)))
    >>> from_bytes(to_bytes(image)).array.shape
    (2, 3, 4)
    """
    plain = header_bytes(image) + stored_bytes(image.array)
    # The time of writing would make equal images differ; level 1 is 5 times as fast as 9 and as small for masks.
    return gzip.compress(plain, compresslevel=1, mtime=0) if packed else plain


def stored_bytes(array: Array) -> bytes:
    """Samples as they follow a header of `header_bytes`; of a volume whose planes come one after the other."""
    plain = array.astype(np.uint8) if array.dtype == np.bool_ else array
    return np.ascontiguousarray(plain, plain.dtype.newbyteorder("<")).tobytes()


def from_bytes(data: bytes, *, memory_bytes: int = 2 << 30) -> Image:
    """The image in the bytes of a NIfTI file, gzipped or not."""
    source = Source("image.nii", data=data)
    volume, header = layout_of(source)
    with source.open() as stream:
        stream.seek(header.offset)
        return image_of(read_samples(stream, volume, memory_bytes=memory_bytes), volume, {})


def mask_bytes(mask: Image) -> bytes:
    """A bool image cropped to the box around its voxels, as a gzipped NIfTI file that `read_mask` reads back.

    The origin moves with the crop, so the mask stays in its place; an empty mask keeps one voxel.
    """
    boxes = [_extent(mask.array, axis) for axis in range(mask.array.ndim)]
    steps = mask.geometry.affine[:3, :-1]
    origin = mask.geometry.affine[:3, -1] + steps @ [box.start for box in boxes]
    geometry = Geometry(
        mask.geometry.spacing,
        (float(origin[0]), float(origin[1]), float(origin[2])),
        mask.geometry.direction,
        mask.geometry.calibrated,
    )
    return to_bytes(Image(mask.array[tuple(boxes)], geometry, kind="label", unit="label"))


def read_mask(data: bytes) -> Image:
    """The cropped mask that `mask_bytes` wrote, as a bool (z, y, x) image."""
    image = from_bytes(data)
    return Image(image.array != 0, image.geometry, kind="label", unit="label")


def _extent(array: Array, axis: int) -> slice:
    """Range of indices along an axis that hold True; the first one when none does."""
    used = np.flatnonzero(array.any(axis=tuple(a for a in range(array.ndim) if a != axis)))
    return slice(int(used[0]), int(used[-1]) + 1) if used.size else slice(0, 1)


def header_bytes(image: Image) -> bytes:
    """A NIfTI-1 header with an sform, and the four bytes that say there is no extension.

    Raises
    ------
    ValueError
        As `to_bytes`.
    """
    geometry, dtype = image.geometry, image.array.dtype
    little = np.dtype(np.uint8 if dtype == np.bool_ else dtype).newbyteorder("<")
    code = next((c for c, t in _TYPES.items() if np.dtype("<" + t) == little), None)
    if code is None or image.channel_axis is not None:
        raise ValueError(f"cannot write {dtype} samples with channel axis {image.channel_axis} as NIfTI")
    steps = np.zeros((3, 3))
    steps[:, : geometry.ndim] = geometry.affine[:3, -2::-1]
    if geometry.ndim == 2:
        steps[:, 2] = np.cross(geometry.direction[1], geometry.direction[0])
    frames = image.array.shape[image.time_axis] if image.time_axis is not None else 1
    space = [n for a, n in enumerate(image.array.shape) if a != image.time_axis]
    dim = [4 if frames > 1 else 3, *space[::-1], *([1] * (3 - geometry.ndim)), frames, 1, 1, 1]
    header = bytearray(352)
    layout = _LAYOUTS[1]
    struct.pack_into("<i", header, 0, 348)
    struct.pack_into("<8h", header, layout.dim[1], *dim)
    struct.pack_into("<2h", header, layout.datatype[1], code, image.array.dtype.itemsize * 8)
    sizes = [1.0, *np.linalg.norm(steps, axis=0), 1.0, 1.0, 1.0, 1.0]
    struct.pack_into("<8f", header, layout.pixdim[1], *sizes)
    struct.pack_into("<3f", header, layout.offset_slope_intercept[1], 352.0, 1.0, 0.0)
    struct.pack_into("<B", header, layout.units[1], 2 | 8)  # millimetres, seconds
    struct.pack_into("<2h", header, layout.codes[1], 0, 1)
    srow = _RAS_TO_LPS @ np.column_stack([steps, geometry.origin])
    struct.pack_into("<12f", header, layout.srow[1], *srow.ravel())
    struct.pack_into("4s", header, layout.magic, b"n+1\0")
    return bytes(header)
