"""Cohort numbers and the gallery of previews."""

from __future__ import annotations

import base64

from radlake.lake.store import Lake
from radlake.report.cohort import MOST_CARDS, demographics, formats, gallery, modalities, overview
from radlake.report.tables import Tables, look
from tests.report.conftest import fill, picture, series_rows


def test_every_file_is_counted_once(cohort_tables: Tables) -> None:
    found = overview(cohort_tables)
    assert found.files == {"total": 30, "done": 26, "aside": 3, "ignored": 1, "part": 1, "bytes": 30 * 1024}
    assert (found.numbers["patients"], found.numbers["unknown"], found.numbers["series"]) == (14, 1, 15)


def test_files_without_a_format_are_named_so(cohort_tables: Tables) -> None:
    found = {r["format"]: r for r in formats(cohort_tables)}
    assert found["dicom"]["files"] == 29
    assert found["not recognised as images"]["ignored"] == 1


def test_modalities_carry_counts_and_ranges(cohort_tables: Tables) -> None:
    ct, us = modalities(cohort_tables)
    assert (ct["modality"], ct["series"], ct["images"], ct["slices"], ct["patients"]) == ("CT", 12, 12, 24, 11)
    assert (ct["pixel"], ct["slice"], ct["manufacturers"]) == ("0.5 mm", "2 mm", "GE, SIEMENS")
    assert us["words"] == "ultrasound"


def test_people_are_counted_once_each_and_only_where_known(cohort_tables: Tables) -> None:
    found = demographics(cohort_tables)
    assert (found.patients, found.with_age) == (14, 2)
    assert ">chest<" in found.body_parts


def test_an_empty_lake_has_no_figures(empty_tables: Tables) -> None:
    found = demographics(empty_tables)
    assert (found.patients, found.ages, found.sexes, found.body_parts) == (0, "", "", "")
    assert modalities(empty_tables) == []


def test_the_gallery_shows_what_may_be_shown_and_says_why_not(cohort: Lake, cohort_tables: Tables) -> None:
    cards = gallery(cohort_tables, cohort.objects.get)
    shown = [c for c in cards if c.picture]
    assert len(cards) == 15
    assert {c.modality for c in shown} == {"CT"}
    assert base64.b64decode(shown[0].picture.partition(",")[2]) == picture(0)
    assert {c.hidden for c in cards if c.modality == "US"} == {"not shown: pixel text unchecked"}
    assert (shown[0].size, shown[0].spacing) == ("9 × 8 × 2", "0.5 × 0.5 × 2 mm")
    assert (shown[1].level, shown[1].findings) == ("error", "1 error, 1 warning")


def test_a_preview_of_unchecked_pixels_is_not_shown_even_if_there_is_one(empty: Lake) -> None:
    rows = series_rows(1, modality="US", pixel_text="unsure")
    reference = empty.objects.put(picture(7), ".png")
    rows["previews"] = [{"owner": "im-us00000", "image_id": "im-us00000", "object": reference}]
    fill(empty, rows)
    with look(empty) as tables:
        (card,) = gallery(tables, empty.objects.get)
    assert (card.picture, card.hidden) == ("", "not shown: pixel text unchecked")


def test_a_lost_object_costs_its_picture_only(empty: Lake) -> None:
    rows = series_rows(1)
    rows["previews"] = [{"owner": "im-ct00000", "image_id": "im-ct00000", "object": "ab/" + "ab" * 32 + ".png"}]
    fill(empty, rows)
    with look(empty) as tables:
        (card,) = gallery(tables, empty.objects.get)
    assert card.hidden == "not shown: the picture is not in the object store"


def test_a_series_without_an_image_says_so(empty: Lake) -> None:
    rows = series_rows(1)
    fill(empty, {"series": rows["series"]})
    with look(empty) as tables:
        (card,) = gallery(tables, empty.objects.get)
    assert (card.hidden, card.size, card.findings) == ("no image could be built", "", "")


def test_the_gallery_is_capped_and_spread_over_modalities(empty: Lake) -> None:
    rows = series_rows(500)
    for table, more in series_rows(5, modality="MR").items():
        rows[table] += more
    fill(empty, rows)
    with look(empty) as tables:
        cards = gallery(tables, empty.objects.get)
    assert len(cards) == MOST_CARDS
    assert sum(c.modality == "MR" for c in cards) == 5
