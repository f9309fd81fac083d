"""Where radlake lies among nine packages: 18 statistics of soft-tissue sarcomas, unfiltered, of the IBSI 2 validation.

    python benchmarks/consensus.py [DATA]       # "data" by default

DATA holds `nifti/STS_xxx/` with CT, PET and MR images and masks, and `team_feature_values/TEAM/STS_xxx_MOD.csv`, as the
IBSI published them (Whybra et al., 2024, Radiology 310:e231319). Configuration ID_1: cubic interpolation to 1 mm (PET
3 mm); CT rounded to integers and re-segmented to -200 to 200 HU.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path
from typing import Any

import numpy as np

from radlake.features import extract
from radlake.formats.read import read_image

SETTINGS: dict[str, dict[str, Any]] = {
    "CT": {"spacing_mm": (1, 1, 1), "rounded": True, "intensity_range": (-200, 200)},
    "PET": {"spacing_mm": (3, 3, 3)},
    "MR_T1": {"spacing_mm": (1, 1, 1)},
}


def teams(folder: Path, case: str) -> dict[str, list[float]]:
    """Values of ID_1 by name, one a package that gave it."""
    found: dict[str, list[float]] = {}
    for path in sorted(folder.glob(f"*/{case}.csv")):
        with path.open(newline="", encoding="utf-8-sig") as lines:
            for row in csv.DictReader(lines):
                if row.get("ID_1") not in (None, "", "NA"):
                    found.setdefault(row["feature_tag"], []).append(float(row["ID_1"]))
    return found


def main() -> None:
    """Print a line a case: how many statistics lie among the packages', and the largest distance from their median."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("data", type=Path, nargs="?", default=Path("data"))
    data = parser.parse_args().data
    if not data.is_dir():
        print(f"skipped: no folder {data}")
        return
    print("case               packages  among them  within 0.1 % of the median  farthest")
    among_all = near_all = total = 0
    for image in sorted(data.glob("nifti/*/*_image.nii.gz")):
        modality = image.name.removesuffix("_image.nii.gz")
        case = f"{image.parent.name}_{modality}"
        mask = image.with_name(f"{modality}_mask.nii.gz")
        ours = extract(
            read_image(image), read_image(mask), families=("intensity",), interpolation="cubic", as_dict=True,
            **SETTINGS[modality],
        )  # fmt: skip
        theirs = {n: np.array(v) for n, v in teams(data / "team_feature_values", case).items() if n in ours}
        away = {n: abs(ours[n] - np.median(v)) / max(abs(np.median(v)), 1e-9) for n, v in theirs.items()}
        slack = {n: 1e-6 * abs(np.median(v)) for n, v in theirs.items()}
        among = sum(v.min() - slack[n] <= ours[n] <= v.max() + slack[n] for n, v in theirs.items())
        near = sum(distance <= 1e-3 for distance in away.values())
        worst = max(away, key=lambda n: away[n])
        packages = max(len(v) for v in theirs.values())
        print(f"{case:18} {packages:8} {among:6} of {len(theirs)} {near:16} {' ' * 11} {worst} {away[worst]:.1e}")
        among_all, near_all, total = among_all + among, near_all + near, total + len(theirs)
    print(f"all: {among_all} of {total} among the packages, {near_all} within 0.1 % of their median")


if __name__ == "__main__":
    main()
