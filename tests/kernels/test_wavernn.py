"""WaveRNN's sampler: the numbers of torch's forward pass, its state across calls, seeds, temperatures."""

import numpy as np
import pytest
import torch
from audiocli.kernels import wavernn

from audiocli.nets.wavernn import BYTE, WaveRNN

FIRST = BYTE * BYTE // 2


@pytest.fixture(scope="module")
def net():
    """A net whose weights are large enough to count; sizes that no vector's width divides."""
    torch.manual_seed(0)
    made = WaveRNN(6, width=22, hidden=13, given=10).eval()
    with torch.no_grad():
        for value in made.parameters():
            value.mul_(2.0)
    return made


@pytest.fixture(scope="module")
def weights(net):
    return wavernn.weights(net.state_dict())


def mel(frames):
    return torch.randn(1, 6, frames + 4, generator=torch.Generator().manual_seed(3)) - 5.0


@pytest.fixture(scope="module")
def given(net):
    with torch.inference_mode():
        return net.given(mel(4))[0, :12].numpy()


def sampler(weights, temperature=1.0, seed=0):
    return wavernn.Sampler(weights, first=FIRST, temperature=temperature, seed=seed)


def test_taught_it_gives_the_logits_of_torch(net, weights):
    codes = np.random.default_rng(0).integers(0, BYTE * BYTE, 401)
    before, now = codes[:-1].astype(np.uint16), codes[1:].astype(np.uint16)
    with torch.inference_mode():
        high, low = net(torch.from_numpy(codes[:-1])[None], torch.from_numpy(codes[1:])[None], mel(5))
        added = net.given(mel(5))[0].numpy()
    assert min(float(high.std()), float(low.std())) > 0.3
    one = sampler(weights)
    found = np.concatenate(
        [one.teach(added[:10], before[:200], now[:200]), one.teach(added[10:], before[200:], now[200:])]
    )
    np.testing.assert_allclose(found[:, 0], high[0], atol=1e-4)
    np.testing.assert_allclose(found[:, 1], low[0], atol=1e-4)


def test_at_temperature_0_it_takes_the_likeliest(weights, given):
    drawn = sampler(weights, temperature=0.0).draw(given, 480)
    before = np.concatenate([np.array([FIRST], np.uint16), drawn[:-1]])
    logits = sampler(weights).teach(given, before, drawn)
    np.testing.assert_array_equal(drawn // BYTE, logits[:, 0].argmax(1))
    np.testing.assert_array_equal(drawn % BYTE, logits[:, 1].argmax(1))


def test_a_seed_gives_the_same_codes_however_they_are_asked_for(weights, given):
    whole = sampler(weights, seed=7).draw(given, 480)
    one = sampler(weights, seed=7)
    parts = [one.draw(given[:4], 160), one.draw(given[4:4], 0), one.draw(given[4:], 320)]
    np.testing.assert_array_equal(np.concatenate(parts), whole)
    assert (sampler(weights, seed=8).draw(given, 480) != whole).any()
