"""WaveNet's sampler: the numbers of torch's forward pass, ring buffers across calls, seeds, temperatures."""

import numpy as np
import pytest
import torch
from audiocli.kernels import wavenet

from audiocli.nets.wavenet import CODES, WaveNet

FIRST = CODES // 2
COUNT, STEPS = 480, 12


@pytest.fixture(scope="module")
def net():
    """A net whose weights are large enough for its layers to count; channels that no vector's width divides."""
    torch.manual_seed(0)
    made = WaveNet(6, stacks=2, layers=4, channels=11, skips=14, given=10).eval()
    with torch.no_grad():
        for value in made.parameters():
            value.mul_(2.0)
    return made


@pytest.fixture(scope="module")
def weights(net):
    return wavenet.weights(net.state_dict(), net.dilations)


@pytest.fixture(scope="module")
def given(net):
    with torch.inference_mode():
        mel = torch.randn(1, 6, 12 // 4 + 4, generator=torch.Generator().manual_seed(3))
        added = net.given(torch.cat([mel, mel[..., :1]], dim=-1))[:, :, 0, :STEPS]
    return added.permute(2, 0, 1).numpy()


def sampler(weights, temperature=1.0, seed=0):
    return wavenet.Sampler(weights, first=FIRST, temperature=temperature, seed=seed)


def test_taught_it_gives_the_logits_of_torch(net, weights):
    random = np.random.default_rng(0)
    codes = random.integers(0, CODES, (1, 400))
    mel = torch.randn(1, 6, 5 + 4)
    with torch.inference_mode():
        expected = net(torch.from_numpy(codes), mel)[0].numpy()
        added = net.given(mel)[:, :, 0].permute(2, 0, 1).numpy()
    assert expected.std() > 0.3
    one = sampler(weights)
    halves = [one.teach(added[:10], codes[0, :200]), one.teach(added[10:], codes[0, 200:])]
    np.testing.assert_allclose(np.concatenate(halves), expected, atol=1e-4)


def test_a_net_without_conditioning():
    torch.manual_seed(0)
    net = WaveNet(0, stacks=1, layers=3, channels=8, skips=8).eval()
    torch.nn.init.normal_(net.bias)
    codes = np.random.default_rng(0).integers(0, CODES, 60)
    with torch.inference_mode():
        expected = net(torch.from_numpy(codes)[None])[0].numpy()
        added = net.given(None)[:, :, 0].permute(2, 0, 1).numpy()
    found = sampler(wavenet.weights(net.state_dict(), [1, 2, 4])).teach(added, codes)
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_at_temperature_0_it_takes_the_likeliest(weights, given):
    drawn = sampler(weights, temperature=0.0).draw(given, COUNT)
    logits = sampler(weights).teach(given, np.concatenate([[FIRST], drawn[:-1]]))
    np.testing.assert_array_equal(drawn, logits.argmax(1))


def test_a_seed_gives_the_same_codes_however_they_are_asked_for(weights, given):
    whole = sampler(weights, seed=7).draw(given, COUNT)
    one = sampler(weights, seed=7)
    parts = [one.draw(given[:4], COUNT // 3), one.draw(given[4:4], 0), one.draw(given[4:], 2 * COUNT // 3)]
    np.testing.assert_array_equal(np.concatenate(parts), whole)
    assert (sampler(weights, seed=8).draw(given, COUNT) != whole).any()
