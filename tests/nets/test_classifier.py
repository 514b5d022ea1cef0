"""The sound classifier: shapes, its front end against our kernels, masks, one batch by heart."""

import numpy as np
import pytest
import torch
from audiocli.kernels import mel
from torch.nn import functional

from audiocli.nets.classifier import Block, Classifier, mask
from audiocli.nets.logmel import FLOOR, LogMel
from tests.nets.overfit import overfitted

SMALL = {"sample_rate": 8_000, "n_fft": 256, "hop_length": 200, "n_mels": 24, "widths": (8, 16)}


@pytest.mark.parametrize("samples", [400, 4_001, 24_000])
def test_shapes(samples):
    net = Classifier(5, **SMALL).eval()
    sound = torch.randn(3, samples)
    assert net.spectra(sound).shape == (3, 24, 1 + samples // 200)
    assert net(sound).shape == (3, 5)


def test_a_block_halves_both_axes():
    assert Block(4, 6, 2)(torch.zeros(1, 4, 9, 12)).shape == (1, 6, 5, 6)


def test_log_mel_is_what_the_kernels_compute():
    sound = np.random.default_rng(0).standard_normal(8_000).astype(np.float32) / 10
    ours = LogMel(8_000, 256, 200, 24)(torch.from_numpy(sound)[None])[0].numpy()
    padded = np.pad(sound.astype(np.float64), 128)
    window = np.hanning(257)[:-1]
    frames = np.lib.stride_tricks.sliding_window_view(padded, 256)[::200] * window
    power = np.abs(np.fft.rfft(frames)) ** 2
    bank = mel.filterbank(8_000, 256, 24, 0.0, 4_000.0, norm="slaney")
    expected = np.log(np.maximum(np.asarray(bank) @ power.T, FLOOR))
    np.testing.assert_allclose(ours, expected, atol=2e-3)


def test_silence_is_finite_and_padding_is_heard_the_same_alone_and_together():
    net = Classifier(5, **SMALL).eval()
    with torch.inference_mode():
        both = net(torch.stack([torch.zeros(4_000), torch.ones(4_000)]))
        assert torch.isfinite(both).all()
        assert torch.allclose(both[:1], net(torch.zeros(1, 4_000)), atol=1e-5)


def test_masks_hide_bands_and_frames_and_no_more():
    hidden = mask(torch.ones(200, 20, 30), 5, 7) == 0
    bands, frames = hidden.all(2).sum(1), hidden.all(1).sum(1)
    assert bands.max() <= 4
    assert frames.max() <= 6
    assert bands.float().mean() > 1
    both = hidden.sum((1, 2))
    assert torch.equal(both, bands * 30 + frames * 20 - bands * frames)


def test_one_batch_by_heart():
    torch.manual_seed(0)
    net, sound, target = Classifier(4, **SMALL, dropout=0.0), torch.randn(8, 4_000), torch.arange(8) % 4
    losses = overfitted(net, lambda net: functional.cross_entropy(net(sound), target), steps=60)
    assert losses[0] > 1.0
    assert losses[-1] < 0.05
