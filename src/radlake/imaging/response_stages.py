"""Steps `filter.*` that answer to texture: response maps as the IBSI defines them, under new names."""

from __future__ import annotations

from radlake.core.stage import Item, Rows, Stage
from radlake.imaging import bandpass, wavelets
from radlake.imaging import gabor as waves
from radlake.imaging import laws as textures
from radlake.imaging.arguments import Border
from radlake.imaging.rotations import Pooling


def laplacian_of_gaussian(
    item: Item,
    *,
    image: str = "original",
    sigma_mm: float = 1.5,
    by_plane: bool = False,
    border: Border = "reflect",
    to: str = "log",
) -> Rows:
    """Keep the Laplacian of Gaussian as the IBSI defines it, per square voxel, under a new name.

    Parameters
    ----------
    item : Item
        An image with its pixels.
    image : str
        Name of the image to use.
    sigma_mm : float
        Standard deviation in mm; in pixels where the spacing is unknown.
    by_plane : bool
        Filter volumes plane by plane.
    border : {"reflect", "nearest", "mirror", "wrap", "constant"}
        What lies beyond the edge.
    to : str
        Name of the result.
    """
    item.images[to] = bandpass.laplacian_of_gaussian(
        item.images[image], sigma_mm=sigma_mm, by_plane=by_plane, border=border
    )
    return []


def laws(
    item: Item,
    *,
    image: str = "original",
    kernels: str = "L5E5",
    pooling: Pooling | None = "max",
    energy_vox: int | None = 7,
    border: Border = "reflect",
    to: str = "laws",
) -> Rows:
    """Keep the response to Laws' kernels, or its energy, under a new name.

    Parameters
    ----------
    item : Item
        An image with its pixels.
    image : str
        Name of the image to use.
    kernels : str
        Two names for planes or plane by plane, three for volumes: "L5E5", "L5E5E5".
    pooling : {"average", "max"}, optional
        Over all right-angle rotations of the kernels.
    energy_vox : int, optional
        Take the mean of absolute values so many voxels each way.
    border : {"reflect", "nearest", "mirror", "wrap", "constant"}
        What lies beyond the edge.
    to : str
        Name of the result.
    """
    item.images[to] = textures.laws(
        item.images[image], kernels=kernels, pooling=pooling, energy_vox=energy_vox, border=border
    )
    return []


def gabor(  # noqa: PLR0913 - a wave is four numbers
    item: Item,
    *,
    image: str = "original",
    sigma_mm: float = 5.0,
    wavelength_mm: float = 4.0,
    aspect: float = 1.5,
    angle_deg: float = 45.0,
    pooling: Pooling | None = "average",
    orthogonal: bool = False,
    to: str = "gabor",
) -> Rows:
    """Keep the modulus of the response to Gabor waves, plane by plane, under a new name.

    Parameters
    ----------
    item : Item
        An image with its pixels, all finite.
    image : str
        Name of the image to use.
    sigma_mm, wavelength_mm : float
        Standard deviation of the envelope and length of the wave in mm; in pixels where the spacing is unknown.
    aspect : float
        The envelope is this many times narrower across the wave.
    angle_deg : float
        Direction of the wave, or what directions that are pooled lie apart.
    pooling : {"average", "max"}, optional
        Over all multiples of the angle.
    orthogonal : bool
        Pool over planes of all three orientations, for volumes.
    to : str
        Name of the result.
    """
    item.images[to] = waves.gabor(
        item.images[image],
        sigma_mm=sigma_mm,
        wavelength_mm=wavelength_mm,
        aspect=aspect,
        angle_deg=angle_deg,
        pooling=pooling,
        orthogonal=orthogonal,
    )
    return []


def wavelet(
    item: Item,
    *,
    image: str = "original",
    family: str = "db3",
    bands: str = "LH",
    level: int = 1,
    pooling: Pooling | None = "average",
    border: Border = "reflect",
    to: str = "wavelet",
) -> Rows:
    """Keep a band of a stationary wavelet decomposition under a new name.

    Parameters
    ----------
    item : Item
        An image with its pixels.
    image : str
        Name of the image to use.
    family : str
        Orthogonal wavelet by its name in PyWavelets, such as "haar", "db3" or "coif1".
    bands : str
        Letters L and H along x, y and z: two for planes or plane by plane, three for volumes.
    level : int
        From 1.
    pooling : {"average", "max"}, optional
        Over all right-angle rotations of the kernels.
    border : {"reflect", "nearest", "mirror", "wrap", "constant"}
        What lies beyond the edge.
    to : str
        Name of the result.
    """
    item.images[to] = wavelets.wavelet(
        item.images[image], family=family, bands=bands, level=level, pooling=pooling, border=border
    )
    return []


def simoncelli(
    item: Item,
    *,
    image: str = "original",
    level: int = 1,
    by_plane: bool = False,
    border: Border = "reflect",
    to: str = "simoncelli",
) -> Rows:
    """Keep a band of Simoncelli's non-separable wavelet under a new name.

    Parameters
    ----------
    item : Item
        An image with its pixels, all finite.
    image : str
        Name of the image to use.
    level : int
        From 1.
    by_plane : bool
        Filter volumes plane by plane.
    border : {"reflect", "nearest", "mirror", "wrap", "constant"}
        What lies beyond the edge.
    to : str
        Name of the result.
    """
    item.images[to] = bandpass.simoncelli(item.images[image], level=level, by_plane=by_plane, border=border)
    return []


def riesz(
    item: Item,
    *,
    image: str = "original",
    order: tuple[int, ...] = (1, 0),
    sigma_mm: float | None = None,
    level: int | None = 1,
    pooling: Pooling | None = None,
    border: Border = "reflect",
    to: str = "riesz",
) -> Rows:
    """Keep the Riesz transform of an image or of one of its bands under a new name.

    Parameters
    ----------
    item : Item
        An image with its pixels, all finite.
    image : str
        Name of the image to use.
    order : tuple of int
        Order along x, y and z: two numbers for planes or plane by plane, three for volumes.
    sigma_mm : float, optional
        Of a Laplacian of Gaussian that comes before, in mm.
    level : int, optional
        Of a band of Simoncelli's wavelet that comes before.
    pooling : {"average", "max"}, optional
        Over all right-angle rotations.
    border : {"reflect", "nearest", "mirror", "wrap", "constant"}
        What lies beyond the edge.
    to : str
        Name of the result.
    """
    item.images[to] = bandpass.riesz(
        item.images[image], order=order, sigma_mm=sigma_mm, level=level, pooling=pooling, border=border
    )
    return []


STAGES: dict[str, Stage] = {
    stage.name: stage
    for stage in (
        Stage(
            "filter.laplacian_of_gaussian", 1, "each", "images", ("image:{image}",), ("image:{to}",),
            laplacian_of_gaussian, megabytes_per_megavoxel=16,
        ),
        Stage(
            "filter.laws", 1, "each", "images", ("image:{image}",), ("image:{to}",), laws,
            megabytes_per_megavoxel=28,
        ),
        Stage(
            "filter.gabor", 1, "each", "images", ("image:{image}",), ("image:{to}",), gabor,
            megabytes_per_megavoxel=28,
        ),
        Stage(
            "filter.wavelet", 1, "each", "images", ("image:{image}",), ("image:{to}",), wavelet,
            megabytes_per_megavoxel=28,
        ),
        # small volumes go on for half their size each way: eight times the voxels, of 13 bytes and more
        Stage(
            "filter.simoncelli", 1, "each", "images", ("image:{image}",), ("image:{to}",), simoncelli,
            megabytes_per_megavoxel=110,
        ),
        Stage(
            "filter.riesz", 1, "each", "images", ("image:{image}",), ("image:{to}",), riesz,
            megabytes_per_megavoxel=130,
        ),
    )
}  # fmt: skip
