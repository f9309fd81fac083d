"""A look at a lake's shareable tables."""

from __future__ import annotations

import pytest

from radlake.lake.errors import SqlError
from radlake.report.tables import Tables


def test_tables_that_do_not_exist_yet_are_empty(empty_tables: Tables) -> None:
    assert empty_tables.rows("SELECT * FROM series") == []
    assert empty_tables.row("SELECT count(*) AS n FROM images") == {"n": 0}


def test_the_private_part_is_out_of_reach(empty_tables: Tables) -> None:
    with pytest.raises(SqlError):
        empty_tables.rows("SELECT * FROM private.sources")


def test_rows_are_dictionaries(cohort_tables: Tables) -> None:
    assert cohort_tables.rows("SELECT modality, count(*) AS n FROM series GROUP BY 1 ORDER BY 1") == [
        {"modality": "CT", "n": 12},
        {"modality": "US", "n": 3},
    ]
