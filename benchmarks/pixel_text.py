"""Burned-in text: how much of it is blanked, how much else is, what the screen misses, and what all that costs.

Draws invented names, dates and numbers, 10 to 32 pixels high and down to an eighth of the contrast, on planes of the
files that are named (DICOM, PNG, JPEG; folders are searched), and blanks them as `radlake deidentify` does. A string
counts as covered when 95% of its ink lies in boxes. Without files, pydicom's own are taken: few and small.

    python benchmarks/pixel_text.py [--strings 300] [--screened 300] [--seed 0] [FILE_OR_FOLDER ...]

Needs the extra `ocr`. Times are process CPU time of one thread.
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont
from pydicom.data import get_testdata_file

from radlake.core.fault import ItemError
from radlake.deid import pixels
from radlake.deid.burned_in import Text, covered, find_texts, to_blank
from radlake.deid.dataset_file import open_object
from radlake.deid.strokes import has_strokes
from radlake.formats.dicom.decode import stored_frame

SIZES = (10, 12, 14, 16, 20, 24, 32)  # pixels
CONTRASTS = (0.12, 0.2, 0.35, 0.6, 1.0)  # of the plane's range
NAMES = (
    "SMITH",
    "JOHNSON^MARY",
    "DOE, JOHN",
    "MILLER ANNA",
    "Garcia Lopez",
    "WANG^WEI",
    "O'NEILL KATE",
    "Tanaka Hiroshi",
)
SCREENED = {"CT"}  # read only where the screen says so
OWN = ("CT_small.dcm", "MR_small.dcm", "examples_rgb_color.dcm", "examples_palette.dcm", "JPEG2000.dcm")
LARGEST = 2200  # pixels of the longer side


@dataclass(frozen=True)
class Plane:
    """A plane to draw on, its modality, and whether it was ever compressed with loss."""

    values: np.ndarray
    kind: str
    lossy: bool


def planes(paths: Iterable[Path]) -> Iterator[Plane]:
    """Grey planes of files."""
    for path in paths:
        try:
            if path.suffix.lower() in {".png", ".jpg", ".jpeg"}:
                kind = "US" if "us_" in str(path.parent) else "CR"
                yield Plane(np.asarray(Image.open(path).convert("L")).astype(np.int32), kind, True)
                continue
            with open_object(path) as found:
                frames = pixels.frames_in(found)
                values, syntax = stored_frame(frames, 0), frames.syntax
                kind = str(found.dataset.get("Modality", "OT"))
        except (ItemError, OSError):
            continue
        values = values if values.ndim == 2 else values.mean(axis=-1)
        yield Plane(values.astype(np.int32), kind, syntax in pixels.LOSSY)


def files(given: list[Path]) -> list[Path]:
    """Files, and those below folders."""
    if not given:
        return [Path(str(get_testdata_file(name))) for name in OWN]
    return [p for g in given for p in (sorted(g.rglob("*")) if g.is_dir() else [g]) if p.is_file()]


def string(rng: np.random.Generator) -> str:
    """An invented name, date, number or place."""
    name, day, number = NAMES[rng.integers(len(NAMES))], rng.integers(1, 29), rng.integers(10_000, 10_000_000)
    year, month = rng.integers(1930, 2024), rng.integers(1, 13)
    kinds = (name, f"DOB: {month:02d}/{day:02d}/{year}", f"MRN {number}", f"{year}-{month:02d}-{day:02d} 14:{day:02d}")
    return (*kinds, f"ID {number} {name}", f"St. Mary Hospital {day}")[rng.integers(6)]


def planted(plane: np.ndarray, rng: np.random.Generator, size: int, contrast: float) -> tuple[np.ndarray, np.ndarray]:
    """The plane with a string somewhere, and the mask of its ink."""
    rows, columns = plane.shape
    words, ink = string(rng), np.zeros(plane.shape, np.float32)
    if rng.random() < 0.5:
        font = ImageFont.load_default(size)
        left, top, right, bottom = (round(v) for v in font.getbbox(words))
        page = Image.new("L", (right - left + 2, bottom - top + 2), 0)
        ImageDraw.Draw(page).text((1 - left, 1 - top), words, fill=255, font=font)
        stamp = np.asarray(page, np.float32) / 255
    else:
        scale, thick = (
            size / 30,
            max(1, size // 12),
        )  # capitals of Hershey Simplex are 21 units, at scale 1 a size of 30
        (width, height), base = cv2.getTextSize(words, cv2.FONT_HERSHEY_SIMPLEX, scale, thick)
        page = np.zeros((height + base + 4, width + 4), np.uint8)
        cv2.putText(page, words, (2, height + 2), cv2.FONT_HERSHEY_SIMPLEX, scale, 255, thick, cv2.LINE_AA)
        stamp = page.astype(np.float32) / 255
    stamp = stamp[:rows, :columns]
    y, x = (int(rng.integers(0, extent - part + 1)) for extent, part in zip(plane.shape, stamp.shape, strict=True))
    ink[y : y + stamp.shape[0], x : x + stamp.shape[1]] = stamp
    low, high = np.percentile(plane, (0.5, 99.5))
    behind = float(np.median(plane[y : y + stamp.shape[0], x : x + stamp.shape[1]]))
    up = behind + contrast * (high - low) <= high or behind < (low + high) / 2
    value = behind + (contrast if up else -contrast) * (high - low)
    return np.rint(plane * (1 - ink) + max(value, float(plane.min())) * ink).astype(plane.dtype), ink > 0.3


def masked(boxes: list[tuple[int, int, int, int]], shape: tuple[int, int]) -> np.ndarray:
    """Mask of boxes."""
    return covered([Text(*box, "", 1.0) for box in boxes], shape)


def coverage(found: list[Plane], strings: int, rng: np.random.Generator) -> None:
    """Prints the share of strings that are covered, by kind and contrast, and what was missed."""
    hits: dict[str, list[bool]] = defaultdict(list)
    missed = []
    for number in range(strings):
        plane = found[number % len(found)]
        size, contrast = SIZES[number % len(SIZES)], CONTRASTS[int(rng.integers(len(CONTRASTS)))]
        values, ink = planted(plane.values, rng, size, contrast)
        boxes, _ = to_blank([values], drawn=not plane.lossy)
        hit = bool(masked(boxes, values.shape)[ink].mean() >= 0.95)
        for group in ("all", plane.kind, f"contrast {contrast}", f"size {size}"):
            hits[group].append(hit)
        if not hit:
            missed.append((plane.kind, size, contrast))
    for group, values_ in sorted(hits.items()):
        print(f"covered, {group}: {sum(values_)} of {len(values_)} ({100 * np.mean(values_):.1f}%)", flush=True)
    print(f"missed (kind, size, contrast): {missed}")


def false_area(found: list[Plane]) -> None:
    """Prints the area that is blanked where nothing was drawn, and the time to read a plane."""
    area: dict[str, list[float]] = defaultdict(list)
    spent: dict[str, list[float]] = defaultdict(list)
    for plane in found:
        begin = time.process_time()
        find_texts(plane.values, drawn=not plane.lossy)
        spent[plane.kind].append(time.process_time() - begin)
        boxes, _ = to_blank([plane.values], drawn=not plane.lossy)
        reached = plane.kind not in SCREENED or plane.lossy or has_strokes(plane.values)
        area[plane.kind].append(float(masked(boxes, plane.values.shape).mean()) if reached else 0.0)
    everything = [a for areas in area.values() for a in areas]
    print(f"blanked without a reason: {100 * np.mean(everything):.2f}% of the area")
    for kind, times in spent.items():
        print(
            f"{kind}: {100 * np.mean(area[kind]):.2f}% blanked, "
            f"read in {np.mean(times):.2f} s, the longest in {max(times):.2f} s"
        )


def screen(found: list[Plane], strings: int, rng: np.random.Generator) -> None:
    """Prints what the screen for drawn strokes misses, how often it is wrong, and what it costs."""
    given = [p.values for p in found if p.kind in SCREENED and not p.lossy and min(p.values.shape) >= 128]
    if not given:
        return
    begin = time.process_time()
    alarms = sum(has_strokes(plane) for plane in given)
    spent = (time.process_time() - begin) / len(given)
    seen = 0
    for number in range(strings):
        size, contrast = SIZES[number % len(SIZES)], CONTRASTS[int(rng.integers(len(CONTRASTS)))]
        seen += has_strokes(planted(given[number % len(given)], rng, size, contrast)[0])
    print(f"screen: {seen} of {strings} strings seen ({100 * seen / strings:.1f}%), {1000 * spent:.1f} ms a plane")
    print(f"screen: {alarms} of {len(given)} planes without strings are read all the same")


def main() -> None:
    """Prints a line for each measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--strings", type=int, default=300)
    parser.add_argument("--screened", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    rng = np.random.default_rng(args.seed)
    found = [p for p in planes(files(args.files)) if max(p.values.shape) <= LARGEST and min(p.values.shape) > 32]
    screen(found, args.screened, rng)
    coverage(found, args.strings, rng)
    false_area(found)


if __name__ == "__main__":
    main()
