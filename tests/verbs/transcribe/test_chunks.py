import numpy as np
import pytest

from audiocli.verbs.transcribe.chunks import Chunk, cut, join


def test_a_short_clip_is_one_chunk():
    assert list(cut(100, length=100, context=10)) == [Chunk(0, 100, 0, 100)]
    assert list(cut(0, length=100, context=10)) == [Chunk(0, 0, 0, 0)]


@pytest.mark.parametrize("samples", [101, 180, 181, 999, 1_000, 1_001, 12_345])
@pytest.mark.parametrize(("length", "context", "step"), [(100, 10, 1), (100, 30, 7), (99, 11, 5), (64, 0, 16)])
def test_own_parts_tile_the_clip(samples, length, context, step):
    chunks = list(cut(samples, length=length, context=context, step=step))
    assert chunks[0].keep == 0
    assert chunks[-1].until == samples
    assert [chunk.until for chunk in chunks[:-1]] == [chunk.keep for chunk in chunks[1:]]
    for chunk in chunks:
        assert 0 <= chunk.start <= chunk.keep < chunk.until <= chunk.stop <= samples
        assert chunk.stop - chunk.start <= length
        assert chunk.start % step == 0
        assert chunk.keep % step == 0
        assert chunk.keep - chunk.start >= min(context, chunk.keep)
        assert chunk.stop - chunk.until >= min(context, samples - chunk.until)


@pytest.mark.parametrize("samples", [20, 100, 101, 333, 1_000])
def test_joined_frames_are_those_of_the_whole(samples):
    clip = np.random.default_rng(0).normal(size=samples)

    def frames(part):  # a model that sees 15 samples every 5
        return np.stack([part[n : n + 15].sum() for n in range(0, len(part) - 14, 5)])

    chunks = list(cut(samples, length=60, context=15, step=5))
    joined = join([frames(clip[chunk.start : chunk.stop]) for chunk in chunks], chunks, 5)
    np.testing.assert_allclose(joined, frames(clip))


def test_no_room_is_refused():
    with pytest.raises(ValueError, match="no room"):
        list(cut(1_000, length=100, context=50))
