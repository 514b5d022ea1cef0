"""Sound classifiers through transformers, tiny and random: families load from a folder, alone is as together, AST learns."""

import json

import numpy as np
import pytest
import soundfile
import torch
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace
from transformers import (
    ASTConfig,
    ASTFeatureExtractor,
    ASTForAudioClassification,
    ClapAudioConfig,
    ClapConfig,
    ClapFeatureExtractor,
    ClapModel,
    ClapProcessor,
    ClapTextConfig,
    PreTrainedTokenizerFast,
    Wav2Vec2Config,
    Wav2Vec2FeatureExtractor,
    Wav2Vec2ForSequenceClassification,
    WhisperConfig,
    WhisperFeatureExtractor,
    WhisperForAudioClassification,
)

from audiocli.models.load import load
from audiocli.options import ClassifyOptions, ModelOptions
from audiocli.verbs.classify.work import Tagger
from tests.models.tiny import SMALL

NAMES = {0: "dog", 1: "rain", 2: "sea"}
LABELLED = {"id2label": NAMES, "label2id": {name: n for n, name in NAMES.items()}}


def ast(folder):
    config = ASTConfig(
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        num_mel_bins=32,
        max_length=64,
        **LABELLED,
    )
    ASTForAudioClassification(config).save_pretrained(folder)
    ASTFeatureExtractor(num_mel_bins=32, max_length=64).save_pretrained(folder)


def wav2vec2(folder):
    Wav2Vec2ForSequenceClassification(Wav2Vec2Config(**SMALL, **LABELLED)).save_pretrained(folder)
    Wav2Vec2FeatureExtractor(return_attention_mask=True).save_pretrained(folder)


def whisper(folder):
    config = WhisperConfig(
        d_model=16, encoder_layers=1, decoder_layers=1, encoder_attention_heads=2, decoder_attention_heads=2, encoder_ffn_dim=16,
        decoder_ffn_dim=16, num_mel_bins=16, max_source_positions=50, vocab_size=60, pad_token_id=0, bos_token_id=1, eos_token_id=2,
        decoder_start_token_id=1, **LABELLED,
    )  # fmt: skip
    WhisperForAudioClassification(config).save_pretrained(folder)
    WhisperFeatureExtractor(feature_size=16, chunk_length=1).save_pretrained(folder)


def clap(folder):
    text = ClapTextConfig(
        vocab_size=40, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16, projection_dim=16,
        pad_token_id=1,
    )  # fmt: skip
    audio = ClapAudioConfig(
        spec_size=64, num_mel_bins=16, window_size=2, patch_size=4, patch_stride=[4, 4], patch_embeds_hidden_size=8, depths=[1, 1],
        num_attention_heads=[1, 1], hidden_size=16, projection_dim=16, num_classes=3,
    )  # fmt: skip
    ClapModel(ClapConfig(text_config=text.to_dict(), audio_config=audio.to_dict(), projection_dim=16)).save_pretrained(
        folder
    )
    words = ["<s>", "<pad>", "</s>", "<unk>", "This", "is", "a", "sound", "of", "dog", "rain", "sea", ".", "big"]
    tokens = Tokenizer(WordLevel({word: n for n, word in enumerate(words)}, unk_token="<unk>"))
    tokens.pre_tokenizer = Whitespace()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=tokens, pad_token="<pad>", unk_token="<unk>")
    inputs = ClapFeatureExtractor(
        feature_size=16, max_length_s=1, fft_window_size=1024, hop_length=480, truncation="rand_trunc"
    )
    ClapProcessor(inputs, tokenizer).save_pretrained(folder)


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    torch.manual_seed(0)
    root = tmp_path_factory.mktemp("sounds")
    made = {}
    for make in (ast, wav2vec2, whisper, clap):
        make(root / make.__name__)
        made[make.__name__] = root / make.__name__
    return made


def tagger(folder, **options):
    return load(str(folder), "classify", Tagger, ModelOptions(device="cpu"), ClassifyOptions(**options))


def sounds(rate):
    random = np.random.default_rng(0)
    return [0.1 * random.standard_normal(n).astype(np.float32) for n in (rate, rate // 2, rate // 50, rate, rate // 2)]


@pytest.mark.parametrize("family", ["ast", "wav2vec2", "whisper", "clap"])
def test_alone_is_as_together(folders, family):
    run = tagger(folders[family], labels="dog,rain,sea" if family == "clap" else None)
    assert run.labels == ("dog", "rain", "sea")
    windows = sounds(run.sample_rate)
    together = run(windows)
    assert together.shape == (5, 3)
    np.testing.assert_allclose(together.sum(axis=1), 1.0, atol=1e-5)
    np.testing.assert_allclose(together, np.concatenate([run([window]) for window in windows]), atol=2e-5)
    assert np.abs(together[0] - together[3]).max() > 1e-7


def test_through_the_command(folders, call, tmp_path):
    soundfile.write(tmp_path / "x.wav", sounds(16_000)[0], 16_000)
    for name in ("ast", "whisper"):
        code, out, err = call("classify", "-m", folders[name], "x.wav", "-f", "jsonl", "--top", "2")
        assert (code, err) == (0, "")
        assert len(json.loads(out)["labels"]) == 2


def test_clap_wants_labels_and_a_place_for_them(folders, call, tmp_path):
    soundfile.write(tmp_path / "x.wav", sounds(16_000)[0], 16_000)
    (tmp_path / "labels.txt").write_text("big dog\nrain\n")
    code, _, err = call("classify", "-m", folders["clap"], "x.wav")
    assert code == 2
    assert "has no labels of its own: give --labels" in err
    code, _, err = call("classify", "-m", folders["clap"], "x.wav", "--labels", "dog,sea", "--prompt-template", "sound")
    assert code == 2
    assert "needs {} where the label goes" in err
    code, out, _ = call("classify", "-m", folders["clap"], "x.wav", "--labels", "labels.txt", "-f", "json")
    assert code == 0
    assert {label["label"] for label in json.loads(out)["labels"]} == {"big dog", "rain"}


def test_ast_is_fine_tuned_on_a_folder(folders, call, tmp_path):
    """Two tones are distinguished, also with transformers' own classes."""
    times = np.arange(8_000) / 16_000
    for name, hertz in (("low", 300), ("high", 3_000)):
        (tmp_path / "tones" / name).mkdir(parents=True)
        for n in range(6):
            soundfile.write(
                tmp_path / "tones" / name / f"{n}.wav", 0.3 * np.sin(2 * np.pi * (hertz + 10 * n) * times), 16_000
            )
    code, _, err = call(
        "train", "classifier", "--from", folders["ast"], "--data", "tones", "-o", "mine", "--epochs", "25", "--rate", "0.003",
        "--batch-size", "6", "--valid", "0.34", "--set", "mean=0.8", "--set", "bands=2",
    )  # fmt: skip
    assert code == 0, err
    code, out, _ = call("classify", "-m", "mine", "tones/low/0.wav", "tones/high/3.wav", "-f", "jsonl", "--top", "1")
    assert [json.loads(line)["labels"][0]["label"] for line in out.splitlines()] == ["low", "high"]
    assert ASTForAudioClassification.from_pretrained(tmp_path / "mine").config.id2label == {0: "high", 1: "low"}


@pytest.mark.parametrize("wrong", ["wav2vec2", "nowhere"])
def test_only_ast_is_fine_tuned(folders, call, tmp_path, wrong):
    for n in range(4):
        (tmp_path / "x" / str(n % 2)).mkdir(parents=True, exist_ok=True)
        soundfile.write(tmp_path / "x" / str(n % 2) / f"{n}.wav", sounds(16_000)[1], 16_000)
    code, _, err = call("train", "classifier", "--from", folders.get(wrong, wrong), "--data", "x", "-o", "m")
    assert code == 2
    assert "AST" in err
