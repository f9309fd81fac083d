"""A page that shows where a model of images looks, and whether each map shows anything."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from radlake.lake.durable import write_bytes
from radlake.learn.explain.pictures import Map, Picture
from radlake.report.figures import Line, fall
from radlake.report.overlay import data_uri, enlarged, grey, slice_of, with_map, with_outline
from radlake.report.page import render_page
from radlake.report.wording import fixed, number, plural

METHODS: dict[str, tuple[str, str]] = {
    "grad_cam": ("Grad-CAM", "places whose features speak for the answer (Selvaraju et al. 2017)"),
    "integrated_gradients": (
        "integrated gradients", "how much each pixel adds to the answer, or takes from it (Sundararajan et al. 2017)"
    ),
    "attention": ("attention", "which parts the network weighs most, whatever they speak for (Abnar and Zuidema 2020)"),
    "occlusion": ("occlusion", "how much the answer falls when a place is covered (Zeiler and Fergus 2014)"),
}  # fmt: skip


def write(found: Sequence[Picture], folder: Path, *, model: str, target: str) -> Path:
    """Write index.html, explanation.json and maps.npz, and return the page's path.

    Parameters
    ----------
    found : sequence of Picture
    folder : Path
    model, target : str
    """
    folder.mkdir(parents=True, exist_ok=True)
    told = {"model": model, "target": target, "methods": methods(found), "cases": [_told(p) for p in found]}
    write_bytes(folder / "explanation.json", json.dumps(told, indent=1, sort_keys=True).encode())
    arrays = {f"{p.unit_id}/{m.method}": m.values.astype(np.float32) for p in found for m in p.maps}
    packed = BytesIO()
    np.savez_compressed(packed, **arrays)  # type: ignore[arg-type] # names of arrays, none of them allow_pickle
    write_bytes(folder / "maps.npz", packed.getvalue())
    page = folder / "index.html"
    write_bytes(page, render_page("maps.html", contents(found, model=model, target=target)).encode())
    return page


def methods(found: Sequence[Picture]) -> list[dict[str, Any]]:
    """By method: how many maps pass their checks, and how they lie on the masks."""
    rows = []
    for name in dict.fromkeys(m.method for p in found for m in p.maps):
        maps = [m for p in found for m in p.maps if m.method == name]
        good, laid = sum(m.checked.shows for m in maps), [m.overlap for m in maps if m.overlap is not None]
        title, meaning = METHODS[name]
        rows.append({
            "name": name, "title": title, "meaning": meaning, "good": good, "maps": len(maps),
            "words": _judged(good, len(maps)),
            "inside": float(np.mean([o.inside for o in laid])) if laid else None,
            "area": float(np.mean([o.area for o in laid])) if laid else None,
            "hits": sum(o.hit for o in laid) if laid else None, "masks": len(laid),
        })  # fmt: skip
    return rows


def _judged(good: int, maps: int) -> str:
    """What to think of a method's maps."""
    if not good:
        return f"none of {plural(maps, 'map')} passes its checks: they show nothing about this model"
    some = "all" if good == maps else f"{good} of {maps}"
    return f"{some} of its maps pass their checks" + ("" if good == maps else "; do not read the others")


def contents(found: Sequence[Picture], *, model: str, target: str) -> dict[str, Any]:
    """What the template shows."""
    return {
        "model": model, "target": target, "methods": methods(found), "cases": [_case(p) for p in found],
        "outlined": any(p.mask is not None for p in found),
    }  # fmt: skip


def _told(picture: Picture) -> dict[str, Any]:
    """One case as JSON values, without its pixels."""
    return {
        "unit_id": picture.unit_id, "why": picture.why, "answer": picture.answer, "truth": picture.truth,
        "probability": picture.probability,
        "maps": [
            {"method": m.method, **asdict(m.checked), "overlap": None if m.overlap is None else asdict(m.overlap)}
            for m in picture.maps
        ],
    }  # fmt: skip


def _case(picture: Picture) -> dict[str, Any]:
    """One case as the page shows it."""
    answer = str(picture.answer) if picture.probability is not None else number(picture.answer)
    said = f"answer {answer}" + (
        "" if picture.probability is None else f" with a probability of {fixed(picture.probability, 2)}"
    )
    truth = "" if picture.truth is None else f"; the truth is {picture.truth}"
    return {
        "id": picture.unit_id, "why": picture.why, "said": said + truth, "plain": _plain(picture),
        "maps": [_map(picture, shown) for shown in picture.maps],
    }  # fmt: skip


def _plain(picture: Picture) -> dict[str, str]:
    """The picture itself with the outline of its region; of a volume the slice with most of it, or of the first map."""
    image = picture.image
    at = slice_of(picture.maps[0].values if picture.mask is None else picture.mask, image)
    plain = "" if picture.hidden else data_uri(_outlined(grey(image, at), picture, at))
    return {"picture": plain, "slice": _slice(picture, at)}


def _map(picture: Picture, shown: Map) -> dict[str, Any]:
    """One map as the page shows it."""
    at = slice_of(shown.values, picture.image)
    plane = shown.values if at is None else shown.values[at]
    strongest = float(np.abs(shown.values).max()) or 1.0
    base = grey(picture.image, at)
    drawn = with_map(np.zeros_like(base) if picture.hidden else base, plane / strongest)
    steps = np.linspace(0, 1, len(shown.checked.curve)).tolist()
    curves = [
        Line("this map", list(zip(steps, shown.checked.curve, strict=True)), 0),
        Line("random order", list(zip(steps, shown.checked.random_curve, strict=True)), 8, dashed=True),
    ]
    title = METHODS[shown.method][0]
    return {
        "title": title, "picture": data_uri(_outlined(drawn, picture, at)), "slice": _slice(picture, at),
        "good": shown.checked.shows, "words": shown.checked.words, "random": shown.checked.random_network,
        "own": shown.checked.deletion, "chance": shown.checked.random_deletion,
        "curve": fall(curves, title=f"Deletion: {title}, {picture.unit_id}", value=picture.probability is None),
        "overlap": shown.overlap,
    }  # fmt: skip


def _outlined(plane: Any, picture: Picture, at: int | None) -> Any:
    """A picture large enough to be seen, with the region where there is one in this slice."""
    large = enlarged(plane)
    if picture.mask is None:
        return large
    mask = enlarged((picture.mask if at is None else picture.mask[at])[..., None])[..., 0]
    return with_outline(large, mask) if mask.any() else large


def _slice(picture: Picture, at: int | None) -> str:
    """Which slice is shown, counted from one; empty for flat images."""
    return "" if at is None else f"slice {at + 1} of {picture.image.shape[1]}"
