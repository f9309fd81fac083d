"""Geometry: other grids (`grids`), parts and other axes (`extent`), rigid registration (`registration`)."""

from radlake.imaging.resample.extent import crop, crop_to, pad, reorient
from radlake.imaging.resample.grids import Interpolation, to_grid, to_spacing
from radlake.imaging.resample.registration import register, rigid

__all__ = ["Interpolation", "crop", "crop_to", "pad", "register", "reorient", "rigid", "to_grid", "to_spacing"]
