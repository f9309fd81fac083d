"""Privacy settings, steps and runs."""

from __future__ import annotations

from radlake.lake.manifest import Manifest
from radlake.lake.store import Lake
from radlake.report.origin import compute, privacy
from radlake.report.tables import Tables


def test_privacy_names_profile_key_and_what_is_withheld(cohort: Lake, cohort_tables: Tables) -> None:
    found = privacy(cohort_tables, cohort.facts)
    assert (found.profiles, found.fingerprint, found.withheld) == (["research"], "f274-95c4", 3)
    assert [(r["state"], r["n"], r["shown"]) for r in found.pixel_text] == [("clean", 12, 12), ("unchecked", 3, 0)]
    assert [(r["action"], r["n"]) for r in found.actions] == [("removed", 30)]


def test_identities_that_were_kept_are_not_hidden(empty_tables: Tables) -> None:
    assert not privacy(empty_tables, Manifest("f", deidentified=False)).deidentified


def test_chains_list_steps_with_versions_and_settings(cohort_tables: Tables) -> None:
    found = compute(cohort_tables)
    (chain,) = found.chains
    assert (chain["unit"], chain["items"]) == ("files", 30)
    assert [(s["name"], s["version"], s["settings"]) for s in chain["steps"]] == [
        ("deid", 2, "profile research"), ("features", 1, "families a + b"),
    ]  # fmt: skip
    assert found.versions == [("radlake", "0.1.0")]


def test_an_empty_lake_has_no_runs(empty_tables: Tables) -> None:
    found = compute(empty_tables)
    assert (found.runs, found.more_runs, found.chains, found.versions) == ([], 0, [], [])
