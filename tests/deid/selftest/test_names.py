from __future__ import annotations

from itertools import islice

from radlake.deid.selftest.names import Inventor
from radlake.deid.vocabulary import report_words


def test_names_are_words_of_no_list_and_come_once() -> None:
    names = [Inventor(3).name() for _ in range(1)] + [n for i in [Inventor(3)] for n in (i.name() for _ in range(3000))]
    assert names[0] == names[1]
    assert len(set(names[1:])) == len({n[:7] for n in names[1:]}) == 3000
    assert not {n.lower() for n in names} & report_words().known
    assert all(n.isascii() and n.isalpha() and 6 < len(n) <= 16 for n in names)


def test_what_short_attributes_hold_of_a_name_is_no_word() -> None:
    names = islice(iter(Inventor(32).name, ""), 3000)  # "Preppedal" was among them
    assert not {n[:7].lower() for n in names} & report_words().known


def test_numbers_differ_between_seeds() -> None:
    first, second = ([i.number() for _ in range(2000)] for i in (Inventor(1), Inventor(2)))
    assert not set(first) & set(second)
    assert list(islice(first, 2)) == ["1007920", "1007921"]
