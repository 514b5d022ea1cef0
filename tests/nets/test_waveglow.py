"""WaveGlow: shapes, its exact inverse, its log-determinant against autograd, its reach, one batch by heart."""

import pytest
import torch

from audiocli.nets.conditioner import MARGIN
from audiocli.nets.waveglow import GROUP, WaveGlow
from tests.nets.overfit import overfitted


def small(flows=5, layers=2):
    """A net in which every flow does something, two channels leave after two flows and after four."""
    torch.manual_seed(1)
    net = WaveGlow(6, flows=flows, early_every=2, early=2, width=8, layers=layers, given=10)
    for coupling in net.couplings:
        torch.nn.init.normal_(coupling.end.weight, std=0.1)
        torch.nn.init.normal_(coupling.end.bias, std=0.1)
    return net.eval()


def inputs(batch=2, frames=3, seed=0):
    random = torch.Generator().manual_seed(seed)
    samples = torch.randn(batch, 5 * GROUP * (frames - 1), generator=random)
    return samples, torch.randn(batch, 6, frames + 2 * MARGIN, generator=random) - 5.0


def test_shapes():
    noise, log_det = small()(*inputs())
    assert noise.shape == (2, GROUP, 10)
    assert log_det.shape == (2,)


@pytest.mark.parametrize("flows", [1, 2, 3, 5, 6])
def test_the_inverse(flows):
    net, (samples, mel) = small(flows), inputs()
    with torch.inference_mode():
        noise, _ = net(samples, mel)
        assert torch.allclose(net.inverse(noise, mel), samples, atol=1e-4)
        made = net.inverse(torch.flip(noise, [0]), mel)
        assert torch.allclose(net(made, mel)[0], torch.flip(noise, [0]), atol=1e-4)


def test_the_log_determinant():
    net, (samples, mel) = small(), inputs(1)
    jacobian = torch.autograd.functional.jacobian(lambda x: net(x[None], mel)[0].flatten(), samples[0])
    assert float(net(samples, mel)[1].detach()) == pytest.approx(float(torch.linalg.slogdet(jacobian)[1]), abs=1e-4)


def test_the_density_is_that_of_the_noise_times_the_determinant():
    """At a point, by the definition."""
    net, (samples, mel) = small(), inputs(1)
    noise, log_det = net(samples, mel)
    normal = torch.distributions.Normal(0.0, 1.0).log_prob(noise).sum()
    assert float(net.nll(samples, mel).detach()) == pytest.approx(
        -float((normal + log_det).detach()) / samples.shape[1], rel=1e-5
    )


def test_a_sample_depends_on_noise_within_its_reach():
    net, (samples, mel) = small(layers=1), inputs(1, frames=7)
    noise = net(samples, mel)[0].detach()
    changed = noise.clone()
    changed[..., 15] += 1.0
    with torch.inference_mode():
        differs = (net.inverse(noise, mel) - net.inverse(changed, mel))[0].abs() > 1e-5
    groups = differs.unflatten(0, (-1, GROUP)).any(1).nonzero()[:, 0]
    assert 15 - net.reach <= groups.min() < 15 < groups.max() <= 15 + net.reach
    assert net.reach == 5


def test_one_batch_by_heart():
    samples, mel = inputs(1)
    samples = 0.3 * torch.sin(0.3 * torch.arange(80.0))[None] + 0.01 * samples
    losses = overfitted(small(), lambda net: net.nll(samples, mel), steps=120, rate=5e-3)
    assert losses[-1] < losses[0] - 1.5
