"""Converters of voices: streams that come out as long as they went in, and the neural ones on random weights."""

import shutil
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from transformers import WavLMModel

from audiocli.errors import ModelError, UsageError
from audiocli.models.locate import locate
from audiocli.options import CloneOptions
from audiocli.verbs.clone import converter as conversion
from audiocli.verbs.clone import knn as vc_knn
from audiocli.verbs.clone import speecht5 as vc_speecht5
from audiocli.verbs.clone.converter import FADE, WINDOW
from audiocli.voices.files import Target
from audiocli.voices.timbre import SAMPLE_RATE, Timbre
from tests.conftest import vowels
from tests.models import tiny_tts

PLACE = SimpleNamespace(device=torch.device("cpu"), dtype="float32")
NOBODY = Timbre(5.0, np.zeros(1, np.float32), np.ones(1, np.float32))


def target(seed=0, **more):
    """A voice of which only the speech, and a speaker vector, are known."""
    vector = np.random.default_rng(seed).standard_normal(tiny_tts.SIZE).astype(np.float32)
    speech = vowels(2.0, SAMPLE_RATE, 180.0)
    return Target(
        "her.wav", np.ones(1, np.float32), NOBODY, **{"speech": speech, "vectors": {"xvector": vector}} | more
    )


def whole(move, samples, size=4_096):
    blocks = (samples[n : n + size] for n in range(0, len(samples), size))
    return np.concatenate([np.zeros(0, np.float32), *move(blocks, NOBODY)])


# ---- streams


def test_long_sources_are_joined_without_a_seam():
    """Windows that overlap are put together again as they were, whatever the blocks."""
    samples = np.random.default_rng(0).standard_normal(int(2.3 * WINDOW * SAMPLE_RATE)).astype(np.float32)
    for size in (4_096, 999, len(samples)):
        blocks = [samples[n : n + size] for n in range(0, len(samples), size)]
        found = list(conversion.windows(blocks))
        assert all(len(window) <= WINDOW * SAMPLE_RATE + FADE * SAMPLE_RATE for window in found)
        np.testing.assert_allclose(np.concatenate(list(conversion.faded(iter(found)))), samples, atol=1e-6)


def test_pieces_begin_where_they_began():
    """Pieces shorter than their room leave silence, longer ones are sped up; the whole keeps its length."""
    tone = np.sin(np.arange(40_000) * 0.3).astype(np.float32)
    found = [(1_000, tone[:2_000]), (10_000, tone), (30_000, tone[:500]), (31_000, tone[:9_000])]
    made = np.concatenate(list(conversion.placed(found, lambda: 36_000)))
    assert len(made) == 36_000
    np.testing.assert_array_equal(made[1_000:3_000], tone[:2_000])
    np.testing.assert_array_equal(made[30_000:30_500], tone[:500])
    assert not made[:1_000].any()
    assert not made[3_000:10_000].any()
    assert not made[30_500:31_000].any()
    fast = made[12_000:28_000]  # 40,000 samples of it in 20,000, at the same pitch
    spectrum = np.abs(np.fft.rfft(fast * np.hanning(len(fast))))
    assert np.argmax(spectrum) * 2 * np.pi / len(fast) == pytest.approx(0.3, rel=0.02)
    assert len(np.concatenate(list(conversion.placed([], lambda: 300_000)))) == 300_000


# ---- SpeechT5


@pytest.fixture(scope="module")
def speecht5(tmp_path_factory):
    return tiny_tts.speecht5_vc(tmp_path_factory.mktemp("speecht5_vc"))


def pieces(monkeypatch):
    """The lengths of SpeechT5's inputs, in seconds."""
    heard, convert = [], vc_speecht5.Converter._converted

    def noted(self, speaker, samples):
        heard.append(len(samples) / SAMPLE_RATE)
        return convert(self, speaker, samples)

    monkeypatch.setattr(vc_speecht5.Converter, "_converted", noted)
    return heard


def test_speecht5_keeps_the_length_of_long_speech(speecht5, recording, monkeypatch):
    from audiocli import audio

    heard = pieces(monkeypatch)
    samples = audio.read(str(recording), sample_rate=SAMPLE_RATE, mono=True).samples[0]
    converter = vc_speecht5.load(speecht5, None, PLACE, CloneOptions())
    made = whole(converter.towards(target()), samples)
    assert len(made) == len(samples)
    assert len(heard) > 2
    assert max(heard) <= vc_speecht5.CUT.longest + 1.0
    first = next(conversion.pieces(conversion.cutter(True, vc_speecht5.CUT), [samples]))[0]
    assert not made[:first].any()
    assert made[first : first + SAMPLE_RATE].any()


def test_speecht5_draws_from_the_seed_and_hears_the_vector(speecht5):
    samples = vowels(1.2, SAMPLE_RATE)

    def made(seed, vector):
        converter = vc_speecht5.load(speecht5, None, PLACE, CloneOptions(seed=seed))
        speaker = torch.from_numpy(target(vector).vectors["xvector"])[None]
        return converter._converted(speaker, samples)

    first, again, other, another = made(3, 0), made(3, 0), made(4, 0), made(3, 1)
    assert len(first) > 256
    assert np.array_equal(first, again)
    for different in (other, another):
        assert len(first) != len(different) or not np.array_equal(first, different)
    # One that does not find its end is not let go on.
    assert len(first) <= vc_speecht5.LONGER * len(samples) + 512


def test_speecht5_says_what_it_lacks(speecht5, tmp_path):
    converter = vc_speecht5.load(speecht5, None, PLACE, CloneOptions())
    with pytest.raises(UsageError, match="--speaker-model, an encoder with 512 values"):
        converter.towards(target(vectors={}))
    with pytest.raises(UsageError, match=r"her.wav holds 5 numbers, and this model wants 512"):
        converter.towards(target(vectors={"xvector": np.zeros(5, np.float32)}))
    for verb in ("speak", "transcribe"):
        with pytest.raises(ModelError, match="'audiocli clone' takes it"):
            locate(str(speecht5), verb)
    with pytest.raises(ModelError, match="'audiocli speak' takes it"):
        locate(str(tiny_tts.speecht5(tmp_path / "tts")), "clone")


# ---- kNN-VC


@pytest.fixture(scope="module")
def knn(tmp_path_factory):
    return tiny_tts.knn(tmp_path_factory.mktemp("knn"))


def test_neighbours_are_those_of_a_plain_search(monkeypatch):
    """Whatever the blocks in which the reference is compared."""
    lot = np.random.default_rng(0)
    frames, pool = (lot.standard_normal((n, 16)).astype(np.float32) for n in (23, 101))
    want = []
    for frame in frames:
        cosines = [float(frame @ other / np.linalg.norm(frame) / np.linalg.norm(other)) for other in pool]
        want.append(pool[sorted(range(len(pool)), key=lambda n: -cosines[n])[:4]].mean(axis=0))
    for block in (7, 50, 101, 500):
        monkeypatch.setattr(vc_knn, "BLOCK", block)
        found = vc_knn.matched(torch.from_numpy(frames), torch.from_numpy(pool), 4)
        np.testing.assert_allclose(found.numpy(), want, atol=1e-5)
    few = vc_knn.matched(torch.from_numpy(frames), torch.from_numpy(pool[:2]), 4)
    np.testing.assert_allclose(few.numpy(), np.tile(pool[:2].mean(axis=0), (23, 1)), atol=1e-5)


@pytest.mark.parametrize("stable", [True, False])
def test_frames_are_those_of_the_sixth_layer(tmp_path, stable):
    folder = tiny_tts.knn(tmp_path, stable=stable)
    converter = vc_knn.load(folder, None, PLACE, None)
    samples = vowels(1.0, SAMPLE_RATE)[:15_900]
    found = converter.frames(samples)
    assert found.shape == (50, 32)
    padded = torch.from_numpy(np.pad(samples, (40, 140)))[None]
    with torch.inference_mode():
        full = WavLMModel.from_pretrained(folder).eval()(padded, output_hidden_states=True)
    np.testing.assert_allclose(found.numpy(), full.hidden_states[6][0].numpy(), atol=1e-5)
    # Among its own frames, the nearest to each is itself.
    np.testing.assert_array_equal(vc_knn.matched(found, found, 1).numpy(), found.numpy())


def test_knn_keeps_the_length_and_hears_the_reference(knn):
    converter = vc_knn.load(knn, None, PLACE, CloneOptions())
    samples = vowels(3.1, SAMPLE_RATE)
    hers, again, his = (
        whole(converter.towards(target(speech=vowels(5.0, SAMPLE_RATE, pitch))), samples)
        for pitch in (200.0, 200.0, 90.0)
    )
    assert len(hers) == len(samples)
    assert np.array_equal(hers, again)
    assert not np.array_equal(hers, his)
    assert 0.01 < np.abs(hers).max() < 1.0


class Published(torch.nn.Module):
    """The vocoder's shape in its authors' file, of the sizes that a tiny WavLM wants."""

    def __init__(self):
        from torch.nn import Conv1d, ConvTranspose1d, Linear, ModuleDict, ModuleList
        from torch.nn.utils import weight_norm

        super().__init__()
        self.lin_pre, self.conv_pre = Linear(32, 24), weight_norm(Conv1d(24, 32, 7, 1, 3))
        self.ups = ModuleList(
            weight_norm(ConvTranspose1d(32 >> n, 16 >> n, 2 * rate, rate, rate // 2))
            for n, rate in enumerate((10, 8, 2, 2))
        )
        self.resblocks = ModuleList(
            ModuleDict({
                "convs1": ModuleList(weight_norm(Conv1d(c, c, k, 1, d * (k - 1) // 2, d)) for d in (1, 3, 5)),
                "convs2": ModuleList(weight_norm(Conv1d(c, c, k, 1, (k - 1) // 2)) for _ in range(3)),
            })
            for c in (16, 8, 4, 2) for k in (3, 7)
        )  # fmt: skip
        self.conv_post = weight_norm(Conv1d(2, 1, 7, 1, 3))

    def forward(self, frames):
        sound = self.conv_pre(self.lin_pre(frames).T[None])
        for n, up in enumerate(self.ups):
            sound = up(torch.where(sound > 0, sound, 0.1 * sound))
            sound = sum(self.block(self.resblocks[2 * n + i], sound) for i in (0, 1)) / 2
        return torch.tanh(self.conv_post(torch.where(sound > 0, sound, 0.01 * sound)))[0, 0]

    def block(self, block, sound):
        for first, second in zip(block["convs1"], block["convs2"], strict=True):
            inner = first(torch.where(sound > 0, sound, 0.1 * sound))
            sound = sound + second(torch.where(inner > 0, inner, 0.1 * inner))
        return sound


@pytest.mark.filterwarnings("ignore:.*weight_norm")
def test_the_published_vocoder(knn, tmp_path):
    torch.manual_seed(0)
    net = Published()
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.normal_(0.0, 1.0)
    torch.save({"generator": net.state_dict()}, tmp_path / "g.pt")
    frames = torch.randn(11, 32)
    found = vc_knn.vocoder(str(tmp_path / "g.pt"), knn, PLACE, 32)
    assert found.sample_rate == SAMPLE_RATE
    with torch.inference_mode():
        want = net(frames).numpy()
    assert want.std() > 0.005
    np.testing.assert_allclose(found(frames), want, atol=1e-6)


def test_knn_says_what_it_lacks(knn, tmp_path):
    bare = tiny_tts.knn(tmp_path / "bare")
    shutil.rmtree(bare / "vocoder")
    with pytest.raises(ModelError, match=r"prematch_g_02500000\.pt"):
        vc_knn.load(bare, None, PLACE, CloneOptions())
    with pytest.raises(ModelError, match="it takes 80 numbers a frame, not 32"):
        vc_knn.load(bare, None, PLACE, CloneOptions(vocoder=str(tiny_tts.hifigan(tmp_path / "mel"))))
    torch.save({"generator": {"x": torch.zeros(1)}}, tmp_path / "other.pt")
    torch.save({"generator": Published}, tmp_path / "code.pt")
    for name in ("other.pt", "code.pt"):
        with pytest.raises(ModelError, match="not a HiFi-GAN of kNN-VC"):
            vc_knn.load(bare, None, PLACE, CloneOptions(vocoder=str(tmp_path / name)))
    with pytest.raises(ModelError, match="'audiocli clone' takes it"):
        locate(str(knn), "transcribe")
