"""The segmentation net that hears samples: filters are band-pass, frames lie where they are said to, one batch can be learned.

That it is pyannote's net, number by number, is in tests/verbs/diarize/test_segmentation.py.
"""

import numpy as np
import pytest
import torch

from audiocli.nets.segmenter import invariant_loss
from audiocli.nets.sinc_segmenter import (
    CENTRE,
    REACH,
    SAMPLE_RATE,
    STEP,
    TAPS,
    SincFilters,
    SincSegmenter,
    Sizes,
    frames,
)
from tests.nets.overfit import overfitted

SMALL = Sizes(filters=8, channels=6, hidden=16, layers=1, width=12)


@pytest.mark.parametrize("samples", [REACH + STEP, REACH + 2 * STEP - 1, 80_000])
def test_frames_of_a_window(samples):
    torch.manual_seed(0)
    logits = SincSegmenter(SMALL).eval()(torch.randn(2, samples))
    assert logits.shape == (2, frames(samples), 8)
    assert logits.isfinite().all()


def test_sound_changes_the_frames_whose_reach_it_is_in():
    """A net without norms or a recurrent layer sees only the neighbourhood."""
    torch.manual_seed(0)
    net = SincSegmenter(SMALL).eval()
    net.level = torch.nn.Identity()
    net.norms = torch.nn.ModuleList(torch.nn.Identity() for _ in range(3))

    for shift, inside in ((0, True), (-REACH // 2 - 1, False), (REACH // 2 + 1, False)):
        sound = torch.zeros(1, 16_000)
        frame = 27
        sound[0, round(CENTRE) + frame * STEP + shift] = 1.0
        with torch.inference_mode():
            x = net._pooled(torch.nn.functional.conv1d(sound[:, None], net.filters(), stride=10).abs(), 0)
            for n, convolution in enumerate(net.convolutions, 1):
                x = net._pooled(convolution(x), n)
            still = x[0, :, 0]  # a frame of silence
        assert bool((x[0, :, frame] - still).abs().max() > 1e-6) == inside, shift


def test_filters_pass_their_band():
    filters = SincFilters(80)
    with torch.no_grad():
        low = 50.0 + filters.low.abs()
        high = low + 50.0 + filters.band.abs()
        responses = np.abs(np.fft.rfft(filters()[:, 0].numpy(), 4_096))
    hertz = np.fft.rfftfreq(4_096, 1 / SAMPLE_RATE)
    blur = 2.0 * SAMPLE_RATE / TAPS  # Hz: half the main lobe of a Hamming window
    for n in range(10, 40):
        for response in (responses[n], responses[n + 40]):
            outside = (hertz < float(low[n]) - blur) | (hertz > float(high[n]) + blur)
            assert response[outside].max() < 0.05 * response.max()
    even, odd = (filters()[some, 0].detach() for some in (slice(0, 40), slice(40, 80)))
    torch.testing.assert_close(even, even.flip(1))
    torch.testing.assert_close(odd, -odd.flip(1))


def test_the_net_at_any_level():
    torch.manual_seed(0)
    net, sound = SincSegmenter(SMALL).eval(), torch.randn(1, 16_000)
    torch.testing.assert_close(net(sound), net(0.1 * sound), atol=2e-2, rtol=1e-2)
    assert net(torch.zeros(1, 16_000)).isfinite().all()


def test_one_batch_is_learned_by_heart():
    torch.manual_seed(0)
    windows = torch.randn(2, 16_000)
    windows[:, 8_000:] *= 0.1
    speaking = torch.zeros(2, frames(16_000), 3)
    speaking[:, : frames(16_000) // 2, 0] = 1.0
    losses = overfitted(SincSegmenter(SMALL), lambda net: invariant_loss(net(windows), speaking), steps=80, rate=1e-2)
    assert losses[-1] < 0.1 < losses[0]
