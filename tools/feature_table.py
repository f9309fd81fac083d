"""Print the list of all features for docs/features.md, from the names and ranges in the code.

python tools/feature_table.py            prints it
python tools/feature_table.py --write    puts it in the place of the old one
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from radlake.features import names
from radlake.features.ranges import RANGES, SECTIONS, in_words

PAGE = Path(__file__).parents[1] / "docs" / "features.md"
HEADING = "## Every feature\n"
_TABLES = (
    ("shape, volumes", names.MORPHOLOGY),
    ("shape, planes (`slice_*`: the same in the largest slice of a volume)", names.PLANAR),
    ("props, of planes", names.PROPS),
    ("moments, of planes", names.MOMENTS),
    ("fourier, of planes", names.FOURIER),
    ("lbp, of planes", names.LBP),
    ("hog, of planes", names.HOG),
    ("fraction, of shells and habitats", names.PART),
    ("enclosure", names.ENCLOSURE),
    ("autocorrelation", names.AUTOCORRELATION),
    ("peak", names.PEAK),
    ("intensity", names.STATISTICS),
    ("histogram", names.HISTOGRAM),
    ("ivh", names.IVH),
    ("glcm", names.GLCM),
    ("glrlm", names.GLRLM),
    ("glszm", names.GLSZM),
    ("gldzm", names.GLDZM),
    ("ngtdm", names.NGTDM),
    ("ngldm", names.NGLDM),
)
_BEFORE = f"""{HEADING}
Names of the texture families are followed by an aggregation or dimension. The formula stands in the section named of
the IBSI reference manual (Zwanenburg et al., arXiv:1612.07003v11), where codes lead too; features without a section are
defined where the column leads. A unit of 1 is a pure number. The range is what the definition allows for any region.
"""
_MODULES = {
    "planar": (names.PLANAR,), "props": (names.PROPS,), "outline": (names.MOMENTS, names.FOURIER),
    "patterns": (names.LBP, names.HOG), "subregions": (names.PART,),
}  # fmt: skip
_DEFINED = {
    feature.name: f"`features.{module}`" for module, tables in _MODULES.items() for table in tables for feature in table
}
_TEXTURES = (names.GLCM, names.GLRLM, names.GLSZM, names.GLDZM, names.NGTDM, names.NGLDM)


def lines() -> Iterator[str]:
    """The chapter, line by line."""
    yield from _BEFORE.splitlines()
    for title, table in _TABLES:
        yield from (
            "",
            f"### {title}",
            "",
            "| name | code | formula | unit | range | what |",
            "|---|---|---|---|---|---|",
        )
        for feature in table:
            unit = feature.unit("a.u.", calibrated=True).replace("a.u.2", "(a.u.)2").replace("a.u.", "image's unit")
            cells = (
                f"`{feature.name}`", feature.code or "", SECTIONS.get(feature.name) or _DEFINED[feature.name], unit,
                in_words(RANGES[feature.name]), feature.title.split(",")[0] if table in _TEXTURES else feature.title,
            )  # fmt: skip
            yield f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    chapter = "\n".join(lines()) + "\n"
    if "--write" in sys.argv:
        page = PAGE.read_text(encoding="utf-8")
        PAGE.write_text(page[: page.index(HEADING)] + chapter, encoding="utf-8")
    else:
        sys.stdout.write(chapter)
