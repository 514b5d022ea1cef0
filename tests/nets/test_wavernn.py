"""WaveRNN: shapes, what each half of the state may see, one batch by heart."""

import math

import pytest
import torch

from audiocli.nets.conditioner import MARGIN
from audiocli.nets.wavernn import BYTE, WaveRNN
from tests.nets.overfit import overfitted


def small():
    torch.manual_seed(1)
    return WaveRNN(6, width=16, hidden=12, given=10)


def inputs(batch=2, count=40, seed=0):
    random = torch.Generator().manual_seed(seed)
    now = torch.randint(0, BYTE * BYTE, (batch, count), generator=random)
    before = torch.cat([torch.full((batch, 1), BYTE * BYTE // 2), now[:, :-1]], dim=1)
    return before, now, torch.randn(batch, 6, 3 + 2 * MARGIN, generator=random) - 5.0


def test_shapes():
    high, low = small()(*inputs())
    assert high.shape == low.shape == (2, 40, BYTE)


@pytest.mark.parametrize("trained", [False, True])
def test_the_high_byte_is_not_seen_by_its_own_half(trained):
    net, (before, now, mel) = small(), inputs(1)
    if trained:
        overfitted(net, lambda net: net.nll(before, now, mel), steps=3, rate=1e-1)
    changed = now.clone()
    changed[0, 20] = (changed[0, 20] + 100 * BYTE) % (BYTE * BYTE)
    one, other = net.eval()(before, now, mel), net(before, changed, mel)
    assert torch.equal(one[0][:, :21], other[0][:, :21])
    assert torch.equal(one[1][:, :20], other[1][:, :20])
    assert not torch.allclose(one[1][:, 20], other[1][:, 20], atol=1e-5)


def test_one_batch_by_heart():
    before, now, mel = inputs(1, 20)
    losses = overfitted(small(), lambda net: net.nll(before, now, mel), steps=250, rate=2e-2)
    assert losses[0] > 0.9 * 2 * math.log(BYTE)
    assert losses[-1] < 0.3
