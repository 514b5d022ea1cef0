"""Windows, filters and the cosine transform against librosa, torch, scipy and closed forms."""

import librosa
import numpy as np
import pytest
import scipy.fft
import scipy.signal
import torch
import torchaudio
from audiocli.kernels import mel


@pytest.mark.parametrize("periodic", [True, False])
@pytest.mark.parametrize("name", ["hann", "hamming", "blackman", "bartlett"])
@pytest.mark.parametrize("length", [1, 2, 25, 400])
def test_windows_are_scipys(name, length, periodic):
    expected = scipy.signal.get_window(name, length, fftbins=periodic)
    np.testing.assert_allclose(mel.window(name, length, periodic=periodic), expected, atol=1e-7)


def test_povey_is_a_power_of_hann():
    hann = mel.window("hann", 400, periodic=False).astype(np.float64)
    np.testing.assert_allclose(mel.window("povey", 400, periodic=False), hann**0.85, atol=1e-6)


@pytest.mark.parametrize("scale", mel.MEL_SCALES)
def test_mel_scale_has_an_inverse(scale):
    hertz = np.linspace(0.0, 20_000.0, 301)
    np.testing.assert_allclose(mel.mel_to_hz(mel.hz_to_mel(hertz, scale), scale), hertz, atol=1e-8)
    assert (np.diff(mel.hz_to_mel(hertz, scale)) > 0).all()


@pytest.mark.parametrize(("htk", "norm"), [(False, "slaney"), (False, None), (True, None), (True, "slaney")])
@pytest.mark.parametrize(
    ("rate", "n_fft", "n_mels", "fmin", "fmax"),
    [
        (22_050, 2_048, 128, 0, 11_025),
        (8_000, 256, 23, 60, 3_800),
        (22_050, 501, 40, 0, 11_025),
        (11_025, 1_023, 64, 0, 5_000),
    ],
)
def test_filters_are_librosas(htk, norm, rate, n_fft, n_mels, fmin, fmax):
    expected = librosa.filters.mel(sr=rate, n_fft=n_fft, n_mels=n_mels, fmin=fmin, fmax=fmax, htk=htk, norm=norm)
    got = mel.filterbank(rate, n_fft, n_mels, fmin, fmax, scale="htk" if htk else "slaney", norm=norm)
    np.testing.assert_allclose(got, expected, atol=1e-6 * expected.max())


@pytest.mark.parametrize(("rate", "n_fft"), [(16_000, 400), (16_000, 501), (11_025, 400)])
def test_filters_are_torchaudios_with_its_bins(rate, n_fft):
    expected = torchaudio.functional.melscale_fbanks(n_fft // 2 + 1, 0.0, rate // 2, 40, rate).numpy().T
    bins = np.linspace(0.0, rate // 2, n_fft // 2 + 1)
    got = mel.filterbank(rate, n_fft, 40, 0.0, rate // 2, scale="htk", frequencies=bins)
    np.testing.assert_allclose(got, expected, atol=1e-4)


@pytest.mark.parametrize("n_fft", [2, 3, 400, 501])
def test_frequencies_are_numpys(n_fft):
    np.testing.assert_allclose(mel.fft_frequencies(22_050, n_fft), np.fft.rfftfreq(n_fft, 1 / 22_050))


def test_kaldi_filters_are_torchaudios():
    expected, _ = torchaudio.compliance.kaldi.get_mel_banks(23, 512, 16_000.0, 20.0, 0.0, 100.0, -500.0, 1.0)
    got = mel.filterbank(16_000, 512, 23, 20.0, 8_000.0, scale="kaldi")
    np.testing.assert_allclose(got[:, :-1], expected.numpy(), atol=1e-5)
    assert not got[:, -1].any()


def test_slaney_triangles_have_area_one():
    bank = mel.filterbank(16_000, 16_384, 20, 0.0, 8_000.0, norm="slaney")
    np.testing.assert_allclose(bank.sum(axis=1) * 16_000 / 16_384, 1.0, rtol=1e-2)


def test_sparse_bank_is_the_dense_one():
    bank = mel.filterbank(16_000, 128, 80, 0.0, 8_000.0)
    packed, dense, at = mel.sparse(bank), np.zeros_like(bank), 0
    for row, start, count in zip(dense, packed.starts, packed.counts, strict=True):
        row[start : start + count] = packed.weights[at : at + count]
        at += count
    np.testing.assert_array_equal(dense, bank)
    assert (packed.counts == 0).any(), "this bank has bands without a bin"


def test_dct_is_scipys_and_orthonormal():
    values = np.random.default_rng(0).standard_normal((5, 40))
    np.testing.assert_allclose(values @ mel.dct(40, 13), scipy.fft.dct(values, norm="ortho")[:, :13], atol=1e-5)
    whole = mel.dct(40, 40).astype(np.float64)
    np.testing.assert_allclose(whole.T @ whole, np.eye(40), atol=1e-6)


def test_dct_is_torchaudios_with_lifter():
    expected = torchaudio.functional.create_dct(13, 23, "ortho").numpy()
    lifter = torchaudio.compliance.kaldi._get_lifter_coeffs(13, 22.0).numpy()
    np.testing.assert_allclose(mel.dct(23, 13, lifter=22.0), expected * lifter, atol=1e-4)
    assert torch.is_tensor(torchaudio.functional.create_dct(2, 3, None))


@pytest.mark.parametrize(
    "wrong", [lambda: mel.window("kaiser", 5), lambda: mel.filterbank(16_000, 512, 80, 0, 8_000, scale="bark"),
              lambda: mel.filterbank(16_000, 512, 80, 500, 400)],
)  # fmt: skip
def test_refuses(wrong):
    with pytest.raises(ValueError, match="must"):
        wrong()
