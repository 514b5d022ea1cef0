"""The segmentation net: its frames lie where they are said to, its loss ignores the order of speakers, sets and people agree."""

from dataclasses import replace
from itertools import permutations

import pytest
import torch

from audiocli.nets.segmenter import FRAME, Segmenter, Sizes, activity, invariant_loss, members, orders, sets

SMALL = Sizes(front=4, width=16, squeeze=8, blocks=2, hidden=8, layers=1)


@pytest.mark.parametrize("samples", [FRAME, 5 * 16_000, 7 * 16_000 + 123])
def test_a_frame_for_each_20_ms(samples):
    torch.manual_seed(0)
    logits = Segmenter(SMALL).eval()(torch.randn(2, samples))
    assert logits.shape == (2, samples // FRAME, 8)
    assert logits.isfinite().all()


def test_sound_changes_the_frames_around_it():
    """A net that sees only the neighbourhood (no recurrent layer, no mean over time) tells where frames lie."""
    torch.manual_seed(0)
    net = Segmenter(replace(SMALL, blocks=0)).eval()
    bands = torch.zeros(1, 64, 501)
    changed = bands.clone()
    changed[:, :, 250] = 5.0  # 2.5 s
    deep = [net.enter(net.front(net.stem(one[:, None])).flatten(1, 2)) for one in (bands, changed)]
    steps = (deep[1] - deep[0]).abs().sum(1)[0].nonzero().flatten().tolist()
    assert steps[0] < 2.5 / 0.04 < steps[-1]
    assert abs((steps[0] + steps[-1]) / 2 - 2.5 / 0.04) <= 1.0


def test_the_net_at_any_level():
    torch.manual_seed(0)
    net, sound = Segmenter(SMALL).eval(), 0.1 * torch.randn(1, 16_000)
    torch.testing.assert_close(net(sound), net(0.01 * sound), atol=1e-3, rtol=1e-3)


def test_digital_silence_is_finite():
    assert Segmenter(SMALL).eval()(torch.zeros(1, 16_000)).isfinite().all()


def test_sets_and_people():
    speaking = torch.tensor([[[0.0, 0.0, 0.0], [1.0, 0.0, 1.0], [0.5, 1.0, 0.0]]])
    wanted = sets(speaking)
    torch.testing.assert_close(wanted.sum(-1), torch.ones(1, 3))
    assert wanted[0, 1].argmax() == 0b101
    torch.testing.assert_close(activity(wanted.clamp(min=1e-9).log()), speaking, atol=1e-6, rtol=0)
    for order, row in zip(permutations(range(3)), orders(3), strict=True):
        torch.testing.assert_close(members(3)[row], members(3)[:, list(order)])


def test_the_loss_ignores_the_order_of_speakers():
    torch.manual_seed(0)
    speaking = (torch.rand(4, 50, 3) > 0.6).float()
    logits = 8.0 * sets(speaking)
    loss = invariant_loss(logits, speaking)
    assert loss < 0.01
    for order in permutations(range(3)):
        torch.testing.assert_close(invariant_loss(logits, speaking[..., list(order)]), loss)
    swapped_half_way = torch.cat((speaking[:, :25], speaking[:, 25:, [1, 0, 2]]), 1)
    assert invariant_loss(logits, swapped_half_way) > 1.0
