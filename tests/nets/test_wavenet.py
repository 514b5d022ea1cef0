"""WaveNet: shapes, nothing seen of the future, what its layers compute by the definition, one batch by heart."""

import math

import pytest
import torch

from audiocli.nets.conditioner import MARGIN, STEPS, Conditioner, with_margin
from audiocli.nets.wavenet import CODES, Layer, WaveNet, tanh
from tests.nets.overfit import overfitted

HOP = 20


def small(n_mels=6):
    torch.manual_seed(1)
    return WaveNet(n_mels, stacks=2, layers=3, channels=8, skips=12, given=10).eval()


def inputs(batch=2, frames=5, seed=0):
    random = torch.Generator().manual_seed(seed)
    codes = torch.randint(0, CODES, (batch, HOP * (frames - 1)), generator=random)
    return codes, torch.randn(batch, 6, frames + 2 * MARGIN, generator=random) - 5.0


@pytest.mark.parametrize("n_mels", [6, 0])
def test_shapes(n_mels):
    codes, mel = inputs()
    assert small(n_mels)(codes, mel).shape == (2, 80, CODES)
    assert Conditioner(6, 10)(mel).shape == (2, 10, 4 * STEPS)
    assert with_margin(mel).shape == (2, 6, 9 + 2 * MARGIN)


def test_a_conditioned_net_asks_for_its_mel():
    with pytest.raises(ValueError, match="needs a mel"):
        small()(inputs()[0])


def test_a_sample_sees_none_after_it_and_as_many_before_it_as_the_dilations_reach():
    codes, mel = inputs(1)
    changed = codes.clone()
    changed[:, 40] = (changed[:, 40] + 100) % CODES
    net = small()
    one, other = net(codes, mel)[0], net(changed, mel)[0]
    differs = (one - other).abs().amax(-1) > 0
    reach = 2 * (1 + 2 + 4)
    assert not differs[:40].any()
    assert differs[40 : 41 + reach].all()
    assert not differs[41 + reach :].any()


def test_a_frame_conditions_its_own_time_and_that_of_its_neighbours():
    """Two convolutions and the transposed one reach three frames to each side."""
    codes, mel = inputs(1, frames=12)
    changed = mel.clone()
    changed[:, :, MARGIN + 6] += 1.0
    net = small()
    frames = ((net(codes, mel) - net(codes, changed))[0].abs().amax(-1) > 0).view(11, HOP).any(1)
    # What the codes of frames 3 to 8 carry on to reaches 14 samples, less than a hop, further.
    assert frames.nonzero()[:, 0].tolist() == [3, 4, 5, 6, 7, 8, 9]


def test_a_layer_is_the_convolution_of_the_paper():
    torch.manual_seed(0)
    layer = Layer(4, 2)
    x, given = torch.randn(2, 4, 8), torch.randn(2, 8, 2)  # [batch, channels, samples], a step for four samples
    weight = layer.dilated.weight.view(8, 2, 4).transpose(1, 2)
    inside = torch.nn.functional.conv1d(torch.nn.functional.pad(x, (2, 0)), weight, dilation=2)
    inside = inside + given.repeat_interleave(4, dim=-1)
    passed = torch.tanh(inside[:, :4]) * torch.sigmoid(inside[:, 4:])
    on = x + torch.nn.functional.conv1d(passed, layer.out.weight[..., None], layer.out.bias)
    found = layer(x.transpose(0, 1), given.transpose(0, 1))
    for one, other in zip(found, (on, passed), strict=True):
        assert torch.allclose(one.transpose(0, 1), other, atol=1e-6)


def test_tanh():
    x = torch.linspace(-30.0, 30.0, 1001)
    assert torch.allclose(tanh(x), torch.tanh(x), atol=3e-7)


@pytest.mark.parametrize("n_mels", [6, 0])
def test_one_batch_by_heart(n_mels):
    codes, mel = inputs(1, 4)
    net = small(n_mels)
    before = torch.cat([torch.full((1, 1), CODES // 2), codes[:, :-1]], dim=1)
    losses = overfitted(net, lambda net: net.nll(before, codes, mel), steps=150, rate=1e-2)
    assert losses[0] > 0.9 * math.log(CODES)
    assert losses[-1] < 0.2
