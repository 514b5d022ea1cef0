"""Composing with the nets for chorales: given notes stay, seeds, ranges, many at once."""

import numpy as np
import pytest
import torch

from audiocli.device import Place
from audiocli.errors import ModelError
from audiocli.music import tokens
from audiocli.music.grid import RANGES
from audiocli.music.piece import piece_of
from audiocli.options import MusicOptions
from audiocli.verbs.generate_music import plan
from audiocli.verbs.generate_music.chorale import compose, read_net
from tests.models import tiny_music
from tests.music.test_midi import PIECE

torch.set_num_threads(1)
NOWHERE = piece_of(np.empty((0, 4), np.int8), 80.0)
WILD = MusicOptions(temperature=2.0, top_p=1.0)


@pytest.fixture(scope="module")
def net(tmp_path_factory):
    return read_net(tiny_music.chorale(tmp_path_factory.mktemp("chorale") / "x"), Place("cpu", "float32"))


def free(length, seed=0, key=0):
    return plan.Plan(np.full((length, 4), plan.FREE), tokens.context(length, key), seed, key, NOWHERE, 0.0)


def test_every_voice_stays_in_its_range(net):
    (found,) = compose(net, [free(60)], WILD)
    grid = tokens.grid_of(found)
    for voice, (low, high) in zip(grid.T, RANGES, strict=True):
        assert low <= voice.min()
        assert voice.max() <= high
        assert len(np.unique(voice)) > 5


def test_what_is_given_is_kept(net):
    wanted = tokens.tokens(PIECE)
    primer, melody = free(30), free(len(PIECE))
    primer.given[: len(PIECE)] = wanted
    melody.given[:, 0] = wanted[:, 0]
    begun, harmonised = compose(net, [primer, melody], WILD)
    np.testing.assert_array_equal(begun[: len(PIECE)], wanted)
    np.testing.assert_array_equal(harmonised[:, 0], wanted[:, 0])
    assert (begun >= 0).all()
    assert (harmonised >= 0).all()
    assert not np.array_equal(harmonised, wanted)


def test_seeds(net):
    one, again, other = (compose(net, [free(20, seed)], WILD)[0] for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, again)
    assert not np.array_equal(one, other)


def test_alone_and_together(net):
    plans = [free(12, 1), free(25, 2, key=14), free(3, 3)]
    together = compose(net, plans, WILD)
    for one, found in zip(plans, together, strict=True):
        np.testing.assert_array_equal(found, compose(net, [one], WILD)[0])
        assert len(found) == len(one.given)


def test_the_likeliest_is_always_the_same(net):
    cold = MusicOptions(temperature=0.0)
    np.testing.assert_array_equal(compose(net, [free(9, 1)], cold)[0], compose(net, [free(9, 2)], cold)[0])


def test_a_net_of_another_version(tmp_path):
    folder = tiny_music.chorale(tmp_path / "x")
    config = folder / "config.json"
    config.write_text(config.read_text().replace(str(tokens.N_TOKENS), "99"))
    with pytest.raises(ModelError, match="another version"):
        read_net(folder, Place("cpu", "float32"))
