"""What is in the lake: files, patients, modalities, and a preview of each series."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from radlake.report.figures import bars, histogram
from radlake.report.tables import Row, Tables
from radlake.report.wording import MODALITIES, plural, span

MOST_CARDS = 120
_AGES = 20  # bars of five years from 0 to 100
# Each series with its images, the one to show in place 1; and a choice of them with what the checks found.
_RANKED = """ranked AS (
            SELECT s.series_id, coalesce(s.modality, 'OT') AS modality, s.body_part, i.image_id,
                   coalesce(t.state, i.pixel_text) AS pixel_text, i.rows,
                   i.columns, i.slices, i.frames, i.calibrated, i.spacing_x AS x, i.spacing_y AS y, i.spacing_z AS z,
                   p.object, row_number() OVER (PARTITION BY s.series_id ORDER BY p.object IS NULL, i.image_id) AS place
            FROM series s LEFT JOIN images i USING (series_id) LEFT JOIN previews p USING (image_id)
            LEFT JOIN pixel_texts t USING (image_id)
        )"""
_WITH_FINDINGS = """, found AS (
            SELECT series_id, count(*) FILTER (level = 'error') AS errors,
                   count(*) FILTER (level = 'warning') AS warnings FROM quality GROUP BY 1
        )
        SELECT c.*, coalesce(errors, 0) AS errors, coalesce(warnings, 0) AS warnings
        FROM chosen c LEFT JOIN found USING (series_id)"""


@dataclass(frozen=True)
class Overview:
    """Files by what became of them, and how much of everything else there is."""

    files: Row
    numbers: Row


@dataclass(frozen=True)
class Demographics:
    """Ages and sexes of the known patients; `ages` is empty where no age is known."""

    patients: int
    ages: str
    with_age: int
    sexes: str
    body_parts: str


@dataclass(frozen=True)
class Card:
    """One series in the gallery; `picture` is a data URI, or empty with the reason in `hidden`."""

    modality: str
    series: str
    picture: str
    hidden: str
    size: str
    spacing: str
    about: str
    level: str
    findings: str


def overview(tables: Tables) -> Overview:
    """Key numbers of the lake."""
    files = tables.row("""
        SELECT count(*) AS total, count(*) FILTER (status = 'done') AS done,
               count(*) FILTER (status = 'quarantined') AS aside, count(*) FILTER (status = 'ignored') AS ignored,
               count(*) FILTER (status = 'done' AND fault_code IS NOT NULL) AS part, cast(sum(bytes) AS BIGINT) AS bytes
        FROM files""")
    numbers = tables.row("""
        SELECT (SELECT count(DISTINCT patient_id) FROM series WHERE patient_known) AS patients,
               (SELECT count(*) FROM series WHERE NOT coalesce(patient_known, false)) AS unknown,
               (SELECT count(DISTINCT study_id) FROM series) AS studies,
               (SELECT count(*) FROM series) AS series,
               (SELECT count(*) FROM images) AS images,
               (SELECT count(*) FROM masks) AS masks,
               (SELECT count(value) FROM features) AS features,
               (SELECT count(*) FROM documents) AS documents,
               (SELECT count(*) FROM clinical) AS clinical,
               (SELECT count(*) FROM labels) AS labels""")
    return Overview(files, numbers)


def formats(tables: Tables) -> list[Row]:
    """Input files by format and what became of them."""
    return tables.rows("""
        SELECT coalesce(format, 'not recognised as images') AS format, count(*) AS files,
               cast(sum(bytes) AS BIGINT) AS bytes,
               count(*) FILTER (status = 'done') AS done, count(*) FILTER (status = 'quarantined') AS aside,
               count(*) FILTER (status = 'ignored') AS ignored
        FROM files GROUP BY format ORDER BY files DESC, 1""")


def modalities(tables: Tables) -> list[Row]:
    """One row per modality: how much there is, and the range of its geometry."""
    rows = tables.rows("""
        WITH s AS (
            SELECT coalesce(modality, 'OT') AS modality, count(*) AS series,
                   count(DISTINCT patient_id) FILTER (patient_known) AS patients,
                   array_to_string(list_sort(list(DISTINCT manufacturer)), ', ') AS manufacturers
            FROM series GROUP BY 1
        ), i AS (
            SELECT coalesce(modality, 'OT') AS modality, count(*) AS images,
                   cast(sum(coalesce(slices, 1)) AS BIGINT) AS slices,
                   count(*) FILTER (calibrated) AS calibrated,
                   min(spacing_x) FILTER (calibrated) AS x_low, max(spacing_x) FILTER (calibrated) AS x_high,
                   min(spacing_z) FILTER (calibrated) AS z_low, max(spacing_z) FILTER (calibrated) AS z_high
            FROM images GROUP BY 1
        )
        SELECT * FROM s FULL JOIN i USING (modality) ORDER BY images DESC NULLS LAST, modality""")
    for row in rows:
        row["words"] = MODALITIES.get(row["modality"], "")
        row["pixel"] = span(row["x_low"], row["x_high"], "mm")
        row["slice"] = span(row["z_low"], row["z_high"], "mm")
    return rows


def demographics(tables: Tables) -> Demographics:
    """Age and sex of each known patient, body part of each series."""
    people = tables.row("""
        WITH p AS (SELECT patient_id, min(age_years) AS age, min(sex) AS sex FROM series
                   WHERE patient_known AND patient_id IS NOT NULL GROUP BY 1)
        SELECT count(*) AS patients, count(age) AS with_age,
               count(*) FILTER (sex = 'F') AS f, count(*) FILTER (sex = 'M') AS m, count(*) FILTER (sex = 'O') AS o,
               count(*) FILTER (sex IS NULL OR sex NOT IN ('F', 'M', 'O')) AS unknown FROM p""")
    ages = tables.rows(f"""
        SELECT least({_AGES - 1}, cast(floor(age / 5) AS INTEGER)) AS bin, count(*) AS n
        FROM (SELECT min(age_years) AS age FROM series WHERE patient_known AND patient_id IS NOT NULL
              GROUP BY patient_id) WHERE age >= 0 GROUP BY 1 ORDER BY 1""")
    counts = [0] * _AGES
    for row in ages:
        counts[row["bin"]] = row["n"]
    parts = tables.rows("""
        SELECT body_part, count(*) AS n FROM series WHERE body_part IS NOT NULL
        GROUP BY 1 ORDER BY n DESC, 1 LIMIT 10""")
    sexes = [(word, people[key]) for word, key in (("female", "f"), ("male", "m"), ("other", "o"))]
    return Demographics(
        people["patients"],
        histogram(counts, 0, 100, title="Patients by age in years, bars of five years", width=360, height=150)
        if people["with_age"]
        else "",
        people["with_age"],
        bars([*sexes, ("not stated", people["unknown"])], title="Patients by sex") if people["patients"] else "",
        bars([(r["body_part"].lower(), r["n"]) for r in parts], title="Series by body part") if parts else "",
    )


def gallery(tables: Tables, read: Callable[[str], bytes]) -> list[Card]:
    """A card for each series, at most `MOST_CARDS`: spread evenly over modalities, those with a preview first.

    Parameters
    ----------
    tables : Tables
    read : callable
        Bytes of an object by its reference.
    """
    rows = tables.rows(f"""
        WITH {_RANKED}, spread AS (
            SELECT *, row_number() OVER (PARTITION BY modality ORDER BY object IS NULL, series_id) AS turn
            FROM ranked WHERE place = 1
        ), chosen AS (SELECT * FROM spread ORDER BY turn, modality LIMIT {MOST_CARDS})
        {_WITH_FINDINGS} ORDER BY modality, turn""")
    return [_card(row, read) for row in rows]


def cards_of(tables: Tables, series: Sequence[str], read: Callable[[str], bytes]) -> dict[str, Card]:
    """The cards of some series by their id.

    Parameters
    ----------
    tables : Tables
    series : sequence of str
        Each in the table `series`.
    read : callable
        Bytes of an object by its reference.
    """
    those = ", ".join("'" + name.replace("'", "''") + "'" for name in series)
    rows = tables.rows(f"""
        WITH {_RANKED}, chosen AS (SELECT * FROM ranked WHERE place = 1 AND series_id IN ({those}))
        {_WITH_FINDINGS} ORDER BY series_id""")
    return {row["series_id"]: _card(row, read) for row in rows}


def _card(row: Row, read: Callable[[str], bytes]) -> Card:
    """A series as the gallery shows it."""
    picture, hidden = shown(row, read)
    found = [plural(row[key], word) for key, word in (("errors", "error"), ("warnings", "warning")) if row[key]]
    return Card(
        modality=row["modality"],
        series=row["series_id"],
        picture=picture,
        hidden=hidden,
        size=_size(row),
        spacing=_spacing(row),
        about=(row["body_part"] or "").lower(),
        level="error" if row["errors"] else "warning" if row["warnings"] else "",
        findings=", ".join(found) or ("no findings" if row["image_id"] else ""),
    )


def shown(row: Row, read: Callable[[str], bytes]) -> tuple[str, str]:
    """A preview as a data URI, or why there is none.

    Parameters
    ----------
    row : dict
        image_id, pixel_text, and object: the reference of the preview.
    read : callable
        Bytes of an object by its reference.
    """
    if hidden := _why_hidden(row):
        return "", hidden
    try:
        return "data:image/png;base64," + base64.b64encode(read(row["object"])).decode("ascii"), ""
    except FileNotFoundError:
        return "", "not shown: the picture is not in the object store"


def _why_hidden(row: Row) -> str:
    """Why a series has no picture; empty where it has one."""
    if row["image_id"] is None:
        return "no image could be built"
    if row["pixel_text"] not in ("clean", "redacted"):  # never shown, whatever table previews says
        return "not shown: pixel text unchecked"
    return "" if row["object"] else "no preview was made"


def _size(row: Row) -> str:
    """Columns, rows, slices and time points."""
    if row["image_id"] is None:
        return ""
    extent = [row["columns"], row["rows"], row["slices"], row["frames"]]
    return " × ".join(f"{n}" for n in extent if n is not None and (n > 1 or n in extent[:2]))


def _spacing(row: Row) -> str:
    """Millimetres along columns, rows and slices."""
    if row["image_id"] is None:
        return ""
    known = [v for v in (row["x"], row["y"], row["z"]) if v is not None]
    return " × ".join(f"{v:.3g}" for v in known) + " mm" if row["calibrated"] and known else "spacing unknown"
