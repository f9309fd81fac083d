"""The cases that a model was most wrong about, with a thumbnail where the lake may show one."""

from __future__ import annotations

from collections.abc import Callable

from radlake.report.chosen import Chosen
from radlake.report.cohort import shown
from radlake.report.tables import Row, Tables

_MOST = 12


def failures(tables: Tables, read: Callable[[str], bytes], choice: Chosen | None, unit: str) -> list[Row]:
    """Worst cases of the published test part where there is one, else of those held out; with picture or the reason.

    Parameters
    ----------
    tables : Tables
    read : callable
        Bytes of an object by its reference.
    choice : Chosen or None
    unit : {"mask", "image"}
        What a case is.

    Returns
    -------
    list of dict
        id, words, picture (data URI or ""), hidden (why there is none).
    """
    worst = next((p.mistakes for p in reversed(choice.parts) if p.mistakes), []) if choice is not None else []
    if not worst:
        return []
    wanted = ", ".join("'" + str(row["id"]).replace("'", "''") + "'" for row in worst[:_MOST])
    image = "m.image_id" if unit == "mask" else "i.image_id"
    source = "masks m LEFT JOIN images i USING (image_id)" if unit == "mask" else "images i"
    rows = tables.rows(f"""
        SELECT {"m.mask_id" if unit == "mask" else "i.image_id"} AS unit_id, any_value({image}) AS image_id,
               any_value(coalesce(t.state, i.pixel_text)) AS pixel_text, min(p.object) AS object
        FROM {source} LEFT JOIN previews p ON p.image_id = {image} LEFT JOIN pixel_texts t ON t.image_id = {image}
        WHERE unit_id IN ({wanted}) GROUP BY 1 ORDER BY 1""")
    known = {row["unit_id"]: shown(row, read) for row in rows}
    none = ("", "the lake holds no image of it")
    return [
        {**case, "picture": known.get(case["id"], none)[0], "hidden": known.get(case["id"], none)[1]}
        for case in worst[:_MOST]
    ]
