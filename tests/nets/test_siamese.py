"""The Siamese encoder: shapes, levels, one batch by heart, and the margin by its formula."""

import math
from itertools import pairwise

import numpy as np
import pytest
import torch

from audiocli.nets.siamese import Siamese, Sizes, margin_loss

TINY = Sizes(front=4, width=32, squeeze=8, blocks=2, pooled=32, embedding=16)


def noise(*shape, seed=0):
    return torch.from_numpy(np.random.default_rng(seed).standard_normal(shape).astype(np.float32))


@pytest.fixture(scope="module")
def net():
    torch.manual_seed(0)
    return Siamese(TINY, 4).eval()


@pytest.mark.parametrize("samples", [1_600, 8_000, 16_001])
def test_embeddings_have_length_one(net, samples):
    with torch.inference_mode():
        found = net(noise(3, samples))
    assert found.shape == (3, 16)
    torch.testing.assert_close(found.norm(dim=1), torch.ones(3))


def test_level_makes_no_difference(net):
    with torch.inference_mode():
        torch.testing.assert_close(net(1e-3 * noise(1, 8_000)), net(noise(1, 8_000)), atol=1e-4, rtol=0)


def test_silence_is_finite(net):
    with torch.inference_mode():
        assert net(torch.zeros(1, 8_000)).isfinite().all()


def test_learns_one_batch_by_heart():
    torch.manual_seed(0)
    net = Siamese(TINY, 4)
    clips, labels, margin = noise(8, 8_000), torch.arange(8) % 4, torch.tensor(0.1)
    optimiser = torch.optim.Adam(net.parameters(), 1e-2)
    for _ in range(30):
        loss = margin_loss(net(clips), net.directions, labels, margin)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert loss < 0.1


def test_margin_widens_the_angle():
    angle, margin, scale = 0.7, 0.2, 30.0
    embedding = torch.tensor([[math.cos(angle), math.sin(angle)]])
    directions = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    logits = scale * torch.tensor([[math.cos(angle + margin), math.sin(angle)]])
    expected = torch.nn.functional.cross_entropy(logits, torch.tensor([0]))
    found = margin_loss(embedding, directions, torch.tensor([0]), torch.tensor(margin), scale)
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)


def test_margin_loss_rises_with_the_angle_to_the_end():
    directions = torch.tensor([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])  # the second is at right angles to all of these
    angles = torch.linspace(0.05, math.pi - 0.05, 40).tolist()
    losses = [
        margin_loss(
            torch.tensor([[math.cos(a), math.sin(a), 0.0]]), directions, torch.tensor([0]), torch.tensor(0.3), 3.0
        )
        for a in angles
    ]
    assert all(later > sooner for sooner, later in pairwise(losses))
