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
from radlake.deid.burned_in import Text, covered, parts_of, to_blank
from radlake.deid.dataset_file import open_object
from radlake.formats.dicom.decode import stored_frame

SIZES = (10, 12, 14, 16, 20, 24, 32)  # pixels
VISIBLE = 0.25  # of the contrast: ink that differs by less from what was there is none
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
KINDS = {"CR": "X-ray", "DX": "X-ray", "CT": "CT", "US": "ultrasound"}
PICTURES = {"cxr": "CR", "us": "US"}  # modality of PNG and JPEG files by what their folders' names begin with
OWN = ("CT_small.dcm", "MR_small.dcm", "examples_rgb_color.dcm", "examples_palette.dcm", "JPEG2000.dcm")
NOTICED = 0.01  # of a plane's area
SMALLEST, LARGEST = 200, 2200  # pixels of the shorter and of the longer side


@dataclass(frozen=True)
class Plane:
    """A plane to draw on, its kind, and the file that it is from."""

    values: np.ndarray
    kind: str
    source: Path


def planes(paths: Iterable[Path]) -> Iterator[Plane]:
    """Grey planes of files that are X-rays, CT or ultrasound, each picture once."""
    seen = set()
    for path in paths:
        try:
            if path.suffix.lower() in {".png", ".jpg", ".jpeg"}:
                kind, values = kind_of(path), np.asarray(Image.open(path).convert("L"))
            else:
                with open_object(path) as found:
                    values, kind = stored_frame(pixels.frames_in(found), 0), str(found.dataset.get("Modality", ""))
        except (ItemError, OSError):
            continue
        values = (values if values.ndim == 2 else values.mean(axis=-1)).astype(np.int32)
        fits = min(values.shape) >= SMALLEST and max(values.shape) <= LARGEST
        if kind in KINDS and fits and values.tobytes() not in seen:
            seen.add(values.tobytes())
            yield Plane(values, KINDS[kind], path)


def kind_of(picture: Path) -> str:
    """Modality of a picture by its folders; nothing for masks and for what is neither X-ray nor ultrasound."""
    folders = [folder.lower() for folder in picture.parts[:-1]]
    if "masks" in folders:
        return ""
    return next((PICTURES[begin] for f in folders if (begin := f.split("_")[0]) in PICTURES), "")


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
    """The plane with a string somewhere, and the mask of its ink; black on black is none, and no place for a string."""
    stamp = stamped(string(rng), rng, size)[: plane.shape[0], : plane.shape[1]]
    low, high = np.percentile(plane, (0.5, 99.5))
    while True:
        y, x = (int(rng.integers(0, extent - part + 1)) for extent, part in zip(plane.shape, stamp.shape, strict=True))
        place = np.s_[y : y + stamp.shape[0], x : x + stamp.shape[1]]
        behind = float(np.median(plane[place]))
        up = behind + contrast * (high - low) <= high or behind < (low + high) / 2
        value = max(behind + (contrast if up else -contrast) * (high - low), float(plane.min()))
        drawn, ink = plane.copy(), np.zeros(plane.shape, bool)
        drawn[place] = np.rint(plane[place] * (1 - stamp) + value * stamp).astype(plane.dtype)
        seen = np.abs(drawn[place] - plane[place]) >= VISIBLE * contrast * (high - low)
        ink[place] = (stamp > 0.3) & seen
        if ink.sum() >= 0.5 * (stamp > 0.3).sum():
            return drawn, ink


def stamped(words: str, rng: np.random.Generator, size: int) -> np.ndarray:
    """Words in one of two fonts, 0 to 1."""
    if rng.random() < 0.5:
        font = ImageFont.load_default(size)
        left, top, right, bottom = (round(v) for v in font.getbbox(words))
        page = Image.new("L", (right - left + 2, bottom - top + 2), 0)
        ImageDraw.Draw(page).text((1 - left, 1 - top), words, fill=255, font=font)
        return np.asarray(page, np.float32) / 255
    scale, thick = size / 30, max(1, size // 12)  # capitals of Hershey Simplex are 21 units: at scale 1 a size of 30
    (width, height), base = cv2.getTextSize(words, cv2.FONT_HERSHEY_SIMPLEX, scale, thick)
    drawn = np.zeros((height + base + 4, width + 4), np.uint8)
    cv2.putText(drawn, words, (2, height + 2), cv2.FONT_HERSHEY_SIMPLEX, scale, 255, thick, cv2.LINE_AA)
    return drawn.astype(np.float32) / 255


def masked(boxes: list[tuple[int, int, int, int]], shape: tuple[int, int]) -> np.ndarray:
    """Mask of boxes."""
    return covered([Text(*box, "", 1.0) for box in boxes], shape)


def coverage(found: list[Plane], strings: int, rng: np.random.Generator) -> None:
    """Prints the share of strings that are covered, by kind, size and contrast, and what was missed."""
    hits: dict[str, list[bool]] = defaultdict(list)
    missed = []
    for number in range(strings):
        plane = chosen(found, number, rng)
        size, contrast = SIZES[number % len(SIZES)], CONTRASTS[int(rng.integers(len(CONTRASTS)))]
        values, ink = planted(plane.values, rng, size, contrast)
        boxes, _ = to_blank([values])
        hit = bool(masked(boxes, values.shape)[ink].mean() >= 0.95)
        for group in ("all", plane.kind, f"contrast {contrast}", f"size {size}"):
            hits[group].append(hit)
        if not hit:
            missed.append((plane.kind, size, contrast))
    for group, values_ in sorted(hits.items()):
        print(f"covered, {group}: {sum(values_)} of {len(values_)} ({100 * np.mean(values_):.1f}%)", flush=True)
    print(f"missed (kind, size, contrast): {missed}")


def chosen(found: list[Plane], number: int, rng: np.random.Generator) -> Plane:
    """A plane; the kinds take turns."""
    kinds = sorted({plane.kind for plane in found})
    of_kind = [plane for plane in found if plane.kind == kinds[number % len(kinds)]]
    return of_kind[int(rng.integers(len(of_kind)))]


def false_area(found: list[Plane]) -> None:
    """Prints the area that is blanked where nothing was drawn, and the time to read a plane.

    Planes of which more than a hundredth is blanked are named: most of them carry text of their own. Look at them.
    """
    area: dict[str, list[float]] = defaultdict(list)
    spent: dict[str, list[float]] = defaultdict(list)
    for plane in found:
        begin = time.process_time()
        boxes, _ = to_blank([plane.values])
        spent[plane.kind].append(time.process_time() - begin)
        area[plane.kind].append(float(masked(boxes, plane.values.shape).mean()))
        if area[plane.kind][-1] > NOTICED:
            print(
                f"{100 * area[plane.kind][-1]:.1f}% of {plane.source.parent.name}/{plane.source.name} is blanked",
                flush=True,
            )
    everything = [a for areas in area.values() for a in areas]
    rest = [a for a in everything if a <= NOTICED]
    whole, clean = 100 * np.mean(everything), 100 * np.mean(rest)
    print(f"blanked where nothing was drawn: {whole:.2f}% of the area, {clean:.2f}% without those")
    for kind, times in spent.items():
        print(
            f"{kind}: {100 * np.mean(area[kind]):.2f}% blanked, read in {np.median(times):.2f} s (median), "
            f"nine of ten in {np.percentile(times, 90):.2f} s, the longest in {max(times):.2f} s"
        )


def looked_at(values: np.ndarray) -> tuple[float, np.ndarray]:
    """How much of a plane the detector gets to see, in all sizes together, and where."""
    mask, share = np.zeros(values.shape, bool), 0.0
    for reduction, picture, found in parts_of(values):
        parts = [Text(*part, "", 1.0) for part in found]
        share += float(covered(parts, picture.shape).mean()) / reduction**2
        larger = [Text(*(reduction * edge for edge in part[:4]), "", 1.0) for part in parts]
        mask |= covered(larger, values.shape)
    return share, mask


def screen(found: list[Plane], strings: int, rng: np.random.Generator) -> None:
    """Prints what the screen for strokes misses, what it spares the detector, and what it costs."""
    seen, drawn = defaultdict(int), defaultdict(int)
    for number in range(strings):
        plane = chosen(found, number, rng)
        size, contrast = SIZES[number % len(SIZES)], CONTRASTS[int(rng.integers(len(CONTRASTS)))]
        values, ink = planted(plane.values, rng, size, contrast)
        drawn[plane.kind] += 1
        seen[plane.kind] += bool(looked_at(values)[1][ink].mean() >= 0.95)
    for kind, number in sorted(drawn.items()):
        given, wanted, spared = [p.values for p in found if p.kind == kind], [], 0
        begin = time.process_time()
        for values in given:
            share, any_part = looked_at(values)
            wanted.append(share)
            spared += not any_part.any()
        spent = 1000 * (time.process_time() - begin) / len(given)
        print(
            f"screen, {kind}: {seen[kind]} of {number} strings seen ({100 * seen[kind] / number:.1f}%), "
            f"{100 * np.mean(wanted):.0f}% of clean planes left to look at, {spared} of {len(given)} planes spared, "
            f"{spent:.0f} ms a plane",
            flush=True,
        )


def main() -> None:
    """Prints a line for each measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--strings", type=int, default=300)
    parser.add_argument("--screened", type=int, default=300)
    parser.add_argument("--clean", type=int, default=60, help="planes on which nothing is drawn")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    rng = np.random.default_rng(args.seed)
    found = list(planes(files(args.files)))
    if args.screened:
        screen(found, args.screened, rng)
    if args.strings:
        coverage(found, args.strings, rng)
    if args.clean:
        false_area([chosen(found, number, rng) for number in range(args.clean)])


if __name__ == "__main__":
    main()
