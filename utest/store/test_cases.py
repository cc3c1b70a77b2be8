from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from TftpLibrary.store.cases import spellings
from TftpLibrary.store.names import HIDDEN_PREFIX, Parts

NAMES = st.sampled_from(["a", "A", "b", "B", "x", "ß", "SS"])
FILES = st.sets(st.lists(NAMES, min_size=1, max_size=3).map(tuple), max_size=12)


def found(parts: Parts, *files: Parts) -> list[Parts]:
    def entries(above: Parts) -> set[str]:
        return {file[len(above)] for file in files if file[: len(above)] == above != file}

    return list(spellings(parts, entries))


def test_the_exact_name_comes_first_and_the_others_by_their_characters() -> None:
    files = [("b",), ("B",), ("A", "x"), ("a", "X"), ("a", "x")]
    assert found(("b",), *files) == [("b",), ("B",)]
    assert found(("a", "x"), *files) == [("a", "x"), ("a", "X"), ("A", "x")]
    assert found(("A", "X"), *files) == [("A", "x"), ("a", "X"), ("a", "x")]
    assert found(("c",), *files) == []


def test_what_belongs_to_the_store_is_not_found() -> None:
    assert found((HIDDEN_PREFIX.upper(),), (HIDDEN_PREFIX,)) == []


@given(st.lists(NAMES, min_size=1, max_size=3).map(tuple), FILES)
def test_all_names_that_are_equal_but_for_their_case_are_found_once(
    parts: Parts, files: set[Parts]
) -> None:
    def plain(name: Parts) -> list[str]:
        return [part.casefold() for part in name]

    names = {file[: len(parts)] for file in files if len(file) >= len(parts)}
    equal = {name for name in names if plain(name) == plain(parts)}
    got = found(parts, *files)
    assert set(got) == equal
    assert len(got) == len(equal)
    assert parts not in equal or got[0] == parts
