"""The enhancers: shapes, spectra and back, causality, sound in pieces, one batch by heart."""

import pytest
import torch
from torch.nn import functional

from audiocli.nets.conv_enhancer import REACH, STEP, ConvEnhancer
from audiocli.nets.enhancer import HOP_LENGTH, N_BINS, Enhancer, Widths, erb_bands
from tests.nets.overfit import overfitted

SMALL = Widths(local=4, full=16, sub=8)


@pytest.fixture
def net():
    torch.manual_seed(0)
    return Enhancer(SMALL).eval()


@pytest.mark.parametrize("samples", [1, 255, 256, 4_001])
@pytest.mark.parametrize("make", [lambda: Enhancer(SMALL), lambda: ConvEnhancer((4, 8))])
def test_as_much_comes_out_as_went_in(make, samples):
    assert make().eval().enhance(torch.randn(3, samples)).shape == (3, samples)


def test_the_published_size():
    assert 50_000 < sum(p.numel() for p in Enhancer().parameters()) < 500_000


def test_every_bin_is_shared_out_whole():
    bands = erb_bands()
    torch.testing.assert_close(bands.sum(0), torch.ones(bands.shape[1]))
    assert (bands.sum(1) > 0).all()


def test_spectra_and_back(net):
    sound = torch.randn(2, 5_000)
    spectrum = net.spectra(sound)
    assert spectrum.shape == (2, 1 + 5_000 // HOP_LENGTH, N_BINS)
    torch.testing.assert_close(net.sound(spectrum, 5_000), sound, atol=1e-5, rtol=0)


def test_frames_in_pieces_are_the_frames_at_once(net):
    spectrum = net.spectra(torch.randn(2, 8_000))
    whole, _ = net(spectrum)
    state, parts = None, []
    for piece in spectrum.split([1, 7, 3, 21], dim=1):
        part, state = net(piece, state)
        parts.append(part)
    torch.testing.assert_close(torch.cat(parts, 1), whole, atol=1e-5, rtol=1e-4)


def test_what_comes_later_changes_nothing(net):
    sound = torch.randn(1, 8_000)
    other = sound.clone()
    other[:, 6_000:] = 0.0
    apart = (net.enhance(sound) - net.enhance(other)).abs()[0]
    assert apart[: 6_000 - 512].max() < 1e-6
    assert apart[6_000:].max() > 1e-3


def test_silence_stays_silence(net):
    assert net.enhance(torch.zeros(1, 4_000)).abs().max() == 0


def test_a_sample_depends_on_no_more_than_its_reach():
    torch.manual_seed(0)
    net = ConvEnhancer((4, 8))
    for place in range(2_000, 2_000 + STEP):
        sound = torch.randn(1, 4_000, requires_grad=True)
        (gradient,) = torch.autograd.grad(net(sound)[0, place], sound)
        touched = torch.nonzero(gradient[0]).flatten()
        assert place - int(touched[0]) <= REACH
        assert int(touched[-1]) - place <= REACH


@pytest.mark.parametrize("make", [lambda: Enhancer(SMALL), lambda: ConvEnhancer((8, 16))])
def test_one_batch_by_heart(make):
    torch.manual_seed(0)
    times = torch.arange(4_000) / 16_000
    clean = 0.1 * torch.sin(2 * torch.pi * torch.tensor([[300.0], [700.0]]) * times)
    noisy = clean + 0.05 * torch.randn(2, 4_000)
    losses = overfitted(make(), lambda net: functional.mse_loss(net.enhance(noisy), clean) * 1e3)
    assert losses[-1] < 0.35 * functional.mse_loss(noisy, clean) * 1e3
