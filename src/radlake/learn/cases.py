"""Cases of a lake: one row of features for each region or image, with its label, patient, role and origin."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from radlake.core.errors import UsageError
from radlake.learn.problem import Bools, Floats
from radlake.learn.tables import Tables, quoted

Unit = Literal["mask", "image"]
UNITS: tuple[Unit, ...] = ("mask", "image")
ATTRIBUTES = ("modality", "manufacturer", "sex", "age_years", "body_part")
RANGES = ("spacing_z", "spacing_y", "spacing_x")

# What is said of each unit: for images also what is said of the thing that they belong to.
_OWN = "SELECT t.unit_id, t.patient_id, {what} FROM {table} t WHERE t.unit = '{unit}' AND {where}"
_PASSED_DOWN = """
    UNION ALL
    SELECT f.image_id AS unit_id, t.patient_id, {what} FROM {table} t
    JOIN instances i ON t.unit = 'instance' AND t.unit_id = i.instance_id
    JOIN file_images f USING (file_id, member) WHERE {where}
    UNION ALL
    SELECT i.image_id, i.patient_id, {what} FROM {table} t
    JOIN images i ON (t.unit = 'series' AND t.unit_id = i.series_id)
        OR (t.unit = 'study' AND t.unit_id = i.study_id) OR (t.unit = 'patient' AND t.unit_id = i.patient_id)
    WHERE {where}"""
_ORIGIN = {
    "image": "images i",
    "mask": "(SELECT mask_id AS own_id, image_id FROM masks) m JOIN images i USING (image_id)",
}


@dataclass(frozen=True, eq=False)
class Cohort:
    """Cases in the order of their ids.

    Parameters
    ----------
    unit : {"mask", "image"}
    ids : (N,) array of str
    patients, roles, clusters : (N,) arrays of str
        Patient, published role (train, val, test), and cluster of duplicates; "" where there is none or not known.
    features : (N, D) float array, or images
        NaN where a value is missing.
    names : tuple of D str
        Empty for images.
    units : mapping
        Unit of measure of each feature.
    y : (N,) array
        Labels: whole numbers, numbers or words. Empty when none were asked for.
    attributes : mapping
        (N,) arrays by name, None where it is not known: `ATTRIBUTES` and `RANGES`.
    pixels : (N, ...) array, optional
        Images of cases that have features as well.
    """

    unit: Unit
    ids: NDArray[Any]
    patients: NDArray[Any]
    roles: NDArray[Any]
    clusters: NDArray[Any]
    features: Floats
    names: tuple[str, ...]
    units: dict[str, str]
    y: NDArray[Any]
    attributes: dict[str, NDArray[Any]]
    pixels: NDArray[Any] | None = None

    def part(self, chosen: Bools) -> Cohort:
        """Some of the cases."""
        return replace(
            self, ids=self.ids[chosen], patients=self.patients[chosen], roles=self.roles[chosen],
            clusters=self.clusters[chosen], features=self.features[chosen],
            y=self.y[chosen] if len(self.y) else self.y,
            attributes={name: values[chosen] for name, values in self.attributes.items()},
            pixels=None if self.pixels is None else self.pixels[chosen],
        )  # fmt: skip

    @property
    def modality(self) -> str | None:
        """The modality of all cases; None where it is not known, or there are several."""
        known = {v for v in self.attributes.get("modality", np.empty(0)).tolist() if v is not None}
        return str(known.pop()) if len(known) == 1 else None

    def columns(self, names: tuple[str, ...]) -> Floats:
        """Features in a given order.

        Raises
        ------
        UsageError
            When some are not there, naming them.
        """
        if not names:
            return self.features
        if missing := [name for name in names if name not in self.names]:
            raise UsageError(
                f"{len(missing)} of {len(names)} features that the model needs are not there: "
                f"{', '.join(missing[:5])}; measure the images with the model's own steps, or the same settings"
            )
        return self.features[:, [self.names.index(name) for name in names]]


def with_pixels(cases: Cohort, pictures: Cohort) -> Cohort:
    """Cases of images with their pixels; those whose pixels are not there are left out.

    Parameters
    ----------
    cases : Cohort
        With features.
    pictures : Cohort
        Of the same lake, with pixels as features.

    Raises
    ------
    UsageError
        When a case is a region, or none has pixels.
    """
    if cases.unit != "image":
        raise UsageError("features and images together need one case an image; give --unit image, or one of the two")
    place = {unit_id: i for i, unit_id in enumerate(pictures.ids.tolist())}
    kept = cases.part(np.isin(cases.ids, pictures.ids))
    if not len(kept.ids):
        raise UsageError("no case has features and pixels that can be read; `radlake status` says why")
    return replace(kept, pixels=pictures.features[[place[i] for i in kept.ids.tolist()]])


def labelled(lake: Tables, target: str, unit: str | None = None) -> Cohort:
    """Cases that have features and a label.

    Parameters
    ----------
    lake : Tables
    target : str
        Name of the label.
    unit : {"mask", "image"}, optional
        What a case is; by default regions where the label is about regions, images otherwise.

    Raises
    ------
    UsageError
        When there are none, the label contradicts itself, or features of one image come from several regions.
    """
    if unit is not None and unit not in UNITS:
        raise UsageError(f"unit must be one of {', '.join(UNITS)}; got {unit!r}")
    chosen = next((u for u in UNITS if u == unit), None) or _unit_of(lake, target)
    cohort = _with_labels(lake, target, _measured(lake, chosen, _labels(chosen, target)))
    if not len(cohort.ids):
        raise UsageError(
            f"no {chosen} has both features and a label {target!r}; check `radlake join`{_known_targets(lake, target)}"
        )
    return cohort


def pictured(lake: Tables, target: str | None, known: NDArray[Any]) -> Cohort:
    """Images of a lake as cases without features, with their labels where a target is named.

    Parameters
    ----------
    lake : Tables
    target : str or None
        Name of the label.
    known : (N,) array of str
        Images whose pixels are there; others are left out.

    Raises
    ------
    UsageError
        When no image has such a label, or the label contradicts itself.
    """
    ids = np.unique(known)
    cohort = _of_units(lake, "image", ids, np.empty((len(ids), 0)), (), {})
    if target is None:
        return cohort
    cohort = _with_labels(lake, target, cohort)
    if not len(cohort.ids):
        raise UsageError(
            f"no image whose pixels can be read has a label {target!r}; check `radlake join`"
            f"{_known_targets(lake, target)}"
        )
    return cohort


def _labels(unit: Unit, target: str) -> str:
    """SELECT of the labels of a target by unit."""
    where = f"t.target = {quoted(target)} AND (t.value IS NOT NULL OR t.text IS NOT NULL)"
    return _about(unit, "labels", "t.value, t.text", where)


def _with_labels(lake: Tables, target: str, cohort: Cohort) -> Cohort:
    """The cases that have a label, with it, and the patient that it names."""
    labels = lake.sql(f"SELECT DISTINCT * FROM ({_labels(cohort.unit, target)}) ORDER BY unit_id")
    ids, first, counts = np.unique(_words(labels, "unit_id"), return_index=True, return_counts=True)
    if (counts > 1).any():
        raise UsageError(f"label {target!r} contradicts itself: some {cohort.unit} has two values")
    kept = cohort.part(np.isin(cohort.ids, ids))
    if not len(kept.ids):
        return kept
    rows = first[np.isin(ids, cohort.ids)]
    return replace(kept, y=_outcome(labels.take(rows)), patients=_words(labels, "patient_id")[rows])


def measured(lake: Tables, unit: Unit | None = None) -> Cohort:
    """All cases that have features, whether there are labels or not.

    Parameters
    ----------
    lake : Tables
    unit : {"mask", "image"}, optional
        By default images, where features belong to images, else regions.
    """
    if unit is None:
        counted = lake.sql("SELECT count(image_id) AS n FROM features")
        unit = "image" if counted["n"][0].as_py() else "mask"
    about = f"SELECT DISTINCT {unit}_id AS unit_id FROM features WHERE {unit}_id IS NOT NULL"
    return _measured(lake, unit, about)


def _unit_of(lake: Tables, target: str) -> Unit:
    """Regions where the label is about regions, images otherwise."""
    found = lake.sql(f"SELECT count(*) AS n FROM labels WHERE target = {quoted(target)} AND unit = 'mask'")
    return "mask" if found["n"][0].as_py() else "image"


def _known_targets(lake: Tables, target: str) -> str:
    """What there is, when the label does not exist."""
    names = lake.sql("SELECT DISTINCT target FROM labels ORDER BY 1")["target"].to_pylist()
    return "" if target in names else f"; the lake's labels are {', '.join(names[:10]) or 'none'}"


def _about(unit: Unit, table: str, what: str, where: str) -> str:
    """SELECT of what a table with units says about every mask or image."""
    own = _OWN.format(table=table, what=what, unit=unit, where=where)
    return own if unit == "mask" else own + _PASSED_DOWN.format(table=table, what=what, where=where)


def _measured(lake: Tables, unit: Unit, about: str) -> Cohort:
    """Features, origin, roles and clusters of the units that a SELECT names."""
    column = f"{unit}_id"
    values = lake.sql(
        f"SELECT DISTINCT {column} AS unit_id, name, value, unit FROM features"
        f" WHERE {column} IN (SELECT unit_id FROM ({about})) AND name IS NOT NULL ORDER BY ALL"
    )
    ids = np.unique(_words(values, "unit_id"))
    names = sorted(set(values["name"].to_pylist()))
    row = np.searchsorted(ids, _words(values, "unit_id"))
    place = row * len(names) + np.searchsorted(names, _words(values, "name"))
    if len(np.unique(place)) < len(place):
        raise UsageError("features of one image come from several masks or settings; use unit: mask, or one setting")
    features = np.full(len(ids) * len(names), np.nan)
    features[place] = values["value"].to_numpy(zero_copy_only=False)
    units = dict(zip(values["name"].to_pylist(), values["unit"].to_pylist(), strict=True))
    return _of_units(lake, unit, ids, features.reshape(len(ids), len(names)), tuple(names), units)


def _of_units(
    lake: Tables, unit: Unit, ids: NDArray[Any], features: Floats, names: tuple[str, ...], units: dict[str, str]
) -> Cohort:
    """A cohort of some units, with what the lake knows of their origin, roles and clusters."""
    origin = _origin(lake, unit, ids)
    roles = _lookup(lake, _about(unit, "splits", "t.role", "t.role IS NOT NULL AND t.fold IS NULL"), "role", ids)
    return Cohort(
        unit, ids, _text(origin.pop("patient_id")), roles, _clusters(lake, origin.pop("image_id")), features, names,
        units, np.empty(0), origin,
    )  # fmt: skip


def _origin(lake: Tables, unit: Unit, ids: NDArray[Any]) -> dict[str, NDArray[Any]]:
    """Where each case comes from: image, patient, and the attributes; None where it is not known."""
    own = "i.image_id" if unit == "image" else "m.own_id"
    named = ("manufacturer", "sex", "age_years")
    columns = ", ".join(f"any_value({'s' if c in named else 'i'}.{c}) AS {c}" for c in (*ATTRIBUTES, *RANGES))
    table = lake.sql(
        f"SELECT {own} AS unit_id, any_value(i.image_id) AS image_id, any_value(i.patient_id) AS patient_id, {columns}"
        f" FROM {_ORIGIN[unit]} LEFT JOIN series s USING (series_id) GROUP BY 1 ORDER BY 1"
    )
    known = _words(table, "unit_id")
    place = np.searchsorted(known, ids)
    found = (place < len(known)) & (known[np.minimum(place, len(known) - 1)] == ids) if len(known) else ids == ""
    values = {}
    for name in table.column_names[1:]:
        column = np.array([*table[name].to_pylist(), None], dtype=object)
        values[name] = column[np.where(found, place, len(known))]
    return values


def _lookup(lake: Tables, about: str, column: str, ids: NDArray[Any]) -> NDArray[Any]:
    """A text for each id, "" where there is none."""
    table = lake.sql(f"SELECT unit_id, any_value({column}) AS {column} FROM ({about}) GROUP BY 1")
    known = dict(zip(table["unit_id"].to_pylist(), table[column].to_pylist(), strict=True))
    return np.array([known.get(i) or "" for i in ids.tolist()])


def _clusters(lake: Tables, images: NDArray[Any]) -> NDArray[Any]:
    """Cluster of duplicates of each image, "" where it is in none."""
    table = lake.sql("SELECT image_id, min(cluster_id) AS cluster_id FROM duplicates GROUP BY 1")
    known = dict(zip(table["image_id"].to_pylist(), table["cluster_id"].to_pylist(), strict=True))
    return np.array([known.get(i) or "" for i in images.tolist()])


def _outcome(labels: pa.Table) -> NDArray[Any]:
    """Words where some label has no number; whole numbers where all are whole."""
    values = labels["value"].to_pylist()
    if any(v is None for v in values):
        texts = labels["text"].to_pylist()
        return np.array([t if v is None else f"{v:g}" for t, v in zip(texts, values, strict=True)])
    numbers = np.array(values, dtype=np.float64)
    return numbers.astype(np.int64) if (numbers == np.round(numbers)).all() else numbers


def _words(table: pa.Table, column: str) -> NDArray[Any]:
    """A column of text, "" where it is null."""
    return _text(np.array(table[column].to_pylist(), dtype=object))


def _text(values: NDArray[Any]) -> NDArray[Any]:
    """Text, "" where it is None."""
    return np.array(["" if v is None else str(v) for v in values.tolist()], dtype=np.str_)
