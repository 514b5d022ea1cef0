"""Spools return the rows that were put in, from memory and from a file, in the same blocks."""

import itertools

import numpy as np
import pytest

from audiocli import spool


def fill(columns, sizes, dtype=np.float32):
    rng = np.random.default_rng(0)
    blocks = [(rng.standard_normal((size, columns)) * 100).astype(dtype) for size in sizes]
    made = spool.Spool(columns, dtype)
    for block in blocks:
        made.append(block)
    return made, np.concatenate(blocks)


@pytest.mark.parametrize("dtype", [np.float32, np.uint8, np.uint16])
@pytest.mark.parametrize("memory", [0, 1_000, 1 << 30])
def test_same_rows_from_memory_and_file(monkeypatch, memory, dtype):
    monkeypatch.setattr(spool, "MEMORY", memory)
    made, expected = fill(7, [1, 5_000, 0, 4_096, 37], dtype)
    for _ in range(2):
        blocks = list(made.blocks())
        np.testing.assert_array_equal(np.concatenate(blocks), expected)
        assert [len(block) for block in blocks] == [4_096, 4_096, 942]


@pytest.mark.parametrize("memory", [0, 1 << 30])
def test_two_readers_do_not_disturb_each_other(monkeypatch, memory):
    monkeypatch.setattr(spool, "MEMORY", memory)
    made, expected = fill(3, [9_000])
    pairs = list(zip(made.blocks(), made.blocks(), strict=True))
    np.testing.assert_array_equal(np.concatenate([a for a, _ in pairs]), np.concatenate([b for _, b in pairs]))
    assert sum(len(a) for a, _ in pairs) == len(expected)


@pytest.mark.parametrize("memory", [0, 1 << 30])
def test_drop_last(monkeypatch, memory):
    monkeypatch.setattr(spool, "MEMORY", memory)
    made, expected = fill(2, [4_097])
    made.drop_last()
    np.testing.assert_array_equal(np.concatenate(list(made.blocks())), expected[:-1])
    empty = spool.Spool(2)
    empty.drop_last()
    assert empty.n_rows == 0
    assert not list(empty.blocks())


@pytest.mark.parametrize("sizes", [[], [0], [1], [4_096], [5_000, 5_000, 1], [4_095, 1, 4_096]])
def test_reblocked_has_the_blocks_of_a_spool(sizes):
    whole = np.arange(sum(sizes) * 2, dtype=np.float32).reshape(-1, 2)
    cuts = np.cumsum([0, *sizes])
    parts = (whole[a:b] for a, b in itertools.pairwise(cuts))
    got = [block.copy() for block in spool.reblocked(parts)]
    expected = list(spool.in_blocks(whole))
    assert [len(block) for block in got] == [len(block) for block in expected]
    assert all(np.array_equal(a, b) for a, b in zip(got, expected, strict=True))


@pytest.mark.parametrize("memory", [0, 100, 1 << 30])
def test_a_shelf_gives_back_each_array(memory):
    arrays = [np.arange(size, dtype=np.float32) for size in (3, 0, 50, 7)]
    shelf = spool.Shelf(memory)
    for array in arrays:
        shelf.append(array)
    assert shelf.sizes == [3, 0, 50, 7]
    for number in (2, 0, 3, 1, 2):
        np.testing.assert_array_equal(shelf[number], arrays[number])
    assert (shelf._file is None) == (memory > 300)
