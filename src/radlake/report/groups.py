"""Cases as points, in the colours of their clusters, labels, split and scanner; and whether these lie apart."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from radlake.features.names import FEATURES
from radlake.learn.clustering import METHODS
from radlake.learn.groups import OWNER
from radlake.learn.view import apart, thinned
from radlake.report.figures import Line, cloud
from radlake.report.tables import Row, Tables
from radlake.report.wording import count, fixed, plural, words

_MOST_POINTS = 1500  # dots of a figure
_MOST_KINDS = 7  # colours; what is rarer is "other"
_MOST_LABELS = 3
_FEWEST = 2  # kinds that a colouring needs
_APART, _SHIFTED = 0.2, 0.05  # share of the spread between groups
_UNITS = {"mask": "Regions", "image": "Images"}


@dataclass(frozen=True)
class Picture:
    """All cases in one colouring: title, what it says, the colours, the figure."""

    title: str
    about: str
    keys: list[Row]
    svg: str


@dataclass(frozen=True)
class Groups:
    """Cases of one kind: what was found, what the axes are, pictures, everything that was tried."""

    title: str
    answer: str
    seen: str
    pictures: list[Picture]
    rows: list[Row]


def groups(tables: Tables) -> list[Groups]:
    """What the step `groups` left, for regions and for images; empty where it was not asked for."""
    rows = tables.rows(f"SELECT * FROM models WHERE owner LIKE '{OWNER}%' ORDER BY owner")
    return [_groups(tables, row, json.loads(row["settings"])) for row in rows]


def _groups(tables: Tables, row: Row, found: Mapping[str, Any]) -> Groups:
    """One kind of cases."""
    points = tables.rows(f"""
        SELECT stratum AS unit_id, x, y FROM curves WHERE owner = '{row["owner"]}' AND curve = 'view' ORDER BY 1""")
    axes = _axes(found["view"])
    pictures = [
        picture for title, kinds in _colourings(tables, row["owner"], found)
        if (picture := _picture(title, points, kinds, axes)) is not None
    ]  # fmt: skip
    return Groups(
        title=f"{_UNITS[found['unit']]}: {plural(found['cases'], 'case')}, {plural(found['features'], 'feature')}",
        answer=_answer(found),
        seen=_made_of(found["view"]),
        pictures=pictures,
        rows=[{**r, "title": METHODS[r["method"]].title} for r in found["table"]],
    )


def _answer(found: Mapping[str, Any]) -> str:
    """What was found, first in plain words."""
    if found["k"] == 1:
        return f"No groups are shown. {found['reason']}"
    row = next(r for r in found["table"] if (r["method"], r["k"]) == (found["method"], found["k"]))
    return (
        f"The cases fall into {found['k']} groups, and much the same groups come back when cases are drawn anew"
        f" (agreement {fixed(row['stability'], 2)}, where 1 is the same again). {found['reason']}"
    )


def _axes(found: Mapping[str, Any]) -> tuple[str, str]:
    """Titles of the axes."""
    if found["method"] == "umap":
        return "UMAP 1", "UMAP 2"
    first, second = (f"component {i + 1} ({100 * share:.0f}%)" for i, share in enumerate(found["explained"]))
    return first, second


def _made_of(found: Mapping[str, Any]) -> str:
    """What the axes are, for somebody who has not met them."""
    if found["method"] == "umap":
        return (
            "Cases that are alike in all features lie side by side (UMAP). Distances between far points, and the axes,"
            " mean nothing."
        )
    both = 100 * sum(found["explained"])
    parts = [
        f"{side} stand mainly for {', '.join(_feature(name, weight) for name, weight in axis)}"
        for side, axis in zip(("points to the right", "points further up"), found["made_of"], strict=True)
    ]
    return (
        "Each point is a case; cases that are alike lie near each other, and those on the rim lie further out."
        f" The two axes (principal components) hold"
        f" {both:.0f}% of all differences: {'; '.join(parts)}."
    )


def _feature(name: str, weight: float) -> str:
    """A feature with its direction."""
    title = FEATURES[name].title if name in FEATURES else words(name)
    return f"{'more' if weight > 0 else 'less'} {title}"


def _colourings(tables: Tables, owner: str, found: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, str]]]:
    """Ways to colour the cases: a title with the kind of each case."""
    unit = found["unit"]
    if found["k"] > 1:
        rows = tables.rows(f"SELECT unit_id, value FROM predictions WHERE owner = '{owner}' ORDER BY unit_id")
        yield "cluster", {r["unit_id"]: f"cluster {int(r['value']) + 1}" for r in rows}
    targets = tables.rows(f"""
        SELECT target, count(*) AS n FROM labels WHERE unit = '{unit}' GROUP BY 1
        HAVING count(DISTINCT coalesce(text, value::VARCHAR)) <= {_MOST_KINDS}
        ORDER BY n DESC, target LIMIT {_MOST_LABELS}""")
    for row in targets:
        target = str(row["target"]).replace("'", "''")
        labels = tables.rows(f"""
            SELECT unit_id, any_value(coalesce(text, printf('%g', value))) AS kind FROM labels
            WHERE unit = '{unit}' AND target = '{target}' GROUP BY 1 ORDER BY 1""")
        yield f"the label “{words(row['target'])}”", {r["unit_id"]: r["kind"] for r in labels}
    roles = tables.rows(f"""
        SELECT unit_id, any_value(role) AS kind FROM splits WHERE unit = '{unit}' AND fold IS NULL AND role IS NOT NULL
        GROUP BY 1 ORDER BY 1""")
    yield "the published split", {r["unit_id"]: r["kind"] for r in roles}
    source = "images i" if unit == "image" else "(SELECT mask_id, image_id FROM masks) m JOIN images i USING (image_id)"
    scanners = tables.rows(f"""
        SELECT {"i.image_id" if unit == "image" else "m.mask_id"} AS unit_id, any_value(s.manufacturer) AS kind
        FROM {source} JOIN series s USING (series_id) WHERE s.manufacturer IS NOT NULL GROUP BY 1 ORDER BY 1""")
    yield "maker of the scanner", {r["unit_id"]: r["kind"] for r in scanners}


def _picture(title: str, points: list[Row], kinds: Mapping[str, str], axes: tuple[str, str]) -> Picture | None:
    """One colouring; None where there is only one kind of cases."""
    known = [(p["x"], p["y"], kinds[p["unit_id"]]) for p in points if p["unit_id"] in kinds]
    sizes = Counter(kind for *_, kind in known)
    if len(sizes) < _FEWEST:
        return None
    order = [kind for kind, _ in sorted(sizes.items(), key=lambda item: (-item[1], item[0]))]
    shown = sorted(order if len(order) <= _MOST_KINDS else order[: _MOST_KINDS - 1])
    names = [*shown, "other"] if len(order) > len(shown) else shown
    labels = [kind if kind in shown else "other" for *_, kind in known]
    share = apart(np.array([(x, y) for x, y, _ in known]), labels)
    some = thinned(len(known), _MOST_POINTS).tolist()
    lines = [Line(n, [known[i][:2] for i in some if labels[i] == n], k % 8) for k, n in enumerate(names)]
    keys = [{"name": f"{n} ({count(labels.count(n))})", "colour": k % 8} for k, n in enumerate(names)]
    return Picture(
        title, _apart(title, share), keys, cloud(lines, title=f"Cases by {title}", across=axes[0], up=axes[1])
    )  # fmt: skip


def _apart(title: str, share: float) -> str:
    """What the distance between groups means."""
    told = f"{100 * share:.0f}% of the spread lies between them"
    drift = title.startswith(("the published", "maker"))
    if share < _SHIFTED:
        return f"they lie on one another ({told})"
    if share < _APART:
        return f"they are shifted a little ({told})"
    if drift:
        return f"they lie apart ({told}): a drift; a model may learn this instead of the disease"
    return f"they lie apart ({told})"
