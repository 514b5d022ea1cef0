"""Tiny recognisers, made and trained here: they memorise four real utterances in seconds, so that the whole chain is proved."""

import json
import math
import os
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import soundfile
import torch
from filelock import FileLock
from safetensors.torch import save_file
from tokenizers import Tokenizer
from tokenizers.decoders import Metaspace
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import ByteLevel
from transformers import (
    Data2VecAudioConfig,
    Data2VecAudioForCTC,
    HubertConfig,
    HubertForCTC,
    MoonshineConfig,
    MoonshineForConditionalGeneration,
    ParakeetCTCConfig,
    ParakeetFeatureExtractor,
    ParakeetForCTC,
    ParakeetTokenizer,
    PreTrainedTokenizerFast,
    SeamlessM4TFeatureExtractor,
    SEWConfig,
    SEWForCTC,
    UniSpeechConfig,
    UniSpeechForCTC,
    UniSpeechSatConfig,
    UniSpeechSatForCTC,
    Wav2Vec2BertConfig,
    Wav2Vec2BertForCTC,
    Wav2Vec2Config,
    Wav2Vec2ConformerConfig,
    Wav2Vec2ConformerForCTC,
    Wav2Vec2CTCTokenizer,
    Wav2Vec2FeatureExtractor,
    Wav2Vec2ForCTC,
    WavLMConfig,
    WavLMForCTC,
    WhisperConfig,
    WhisperFeatureExtractor,
    WhisperForConditionalGeneration,
    WhisperTokenizer,
)
from transformers.modeling_outputs import BaseModelOutput

from audiocli.audio import Audio
from audiocli.models.registry import ModelSpec
from audiocli.options import TranscribeOptions

torch.set_num_threads(1)  # the tests run on two cores and two workers: more threads only fight

RATE = 16_000  # Hz
WINDOW = 3  # s that the tiny Whisper hears at once
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ'"
LANGUAGES = ("en", "fr")
HEADS = (("<|startoftranscript|>", "<|en|>", "<|transcribe|>"), ("<|startoftranscript|>",))  # the prompts of a decoder
BLANK = "▁"
SPEED_CTC, SPEED_WHISPER, SPEED_MOONSHINE = 4e-3, 2e-3, 2e-3
STEPS_CTC, STEPS_WHISPER, STEPS_MOONSHINE = 300, 300, 240


@dataclass(frozen=True)
class Utterance:
    """A file of mini-librispeech, where its words start (s, by pocketsphinx), and where its sound ends."""

    path: str
    text: str
    starts: tuple[float, ...]
    end: float

    def spans(self):
        return list(zip(self.text.split(), self.starts, (*self.starts[1:], self.end), strict=True))


UTTERANCES = (
    Utterance("1737/1737-146161-0007.opus", "KNIT TWO TOGETHER TWICE", (0.14, 0.39, 0.66, 1.13), 1.80),
    Utterance("2416/2416-152139-0047.opus", "WHO WAS ALREADY ASLEEP IN BED", (0.2, 0.3, 0.52, 0.92, 1.32, 1.45), 1.85),
    Utterance("8629/8629-261139-0007.opus", "LOOKED AWAY AS SOON AS POSSIBLE", (0.25, 0.55, 0.79, 0.92, 1.2, 1.35), 1.94),
    Utterance(
        "1867/1867-154075-0014.opus", "YOU SHOW HIM THAT IT IS POSSIBLE", (0.36, 0.48, 0.74, 0.85, 1.01, 1.11, 1.33), 1.97
    ),
)  # fmt: skip


def clips(shared: Path) -> list[Audio]:
    """The four utterances, mono."""
    folder = shared / "data" / "mini-librispeech"
    read = [soundfile.read(folder / each.path, dtype="float32")[0] for each in UTTERANCES]
    return [Audio(samples[None], RATE, each.path) for samples, each in zip(read, UTTERANCES, strict=True)]


def moments(utterance: Utterance) -> list[tuple[str, float]]:
    """The approximate time of each letter, with a blank before every word but the first: [(letter, s)]."""
    found = []
    for n, (word, start, end) in enumerate(utterance.spans()):
        step = (end - start) / len(word)
        found += [(" ", start)] if n else []
        found += [(letter, start + (i + 0.5) * step) for i, letter in enumerate(word)]
    return found


# CTC


def ctc_tokenizer(folder: Path) -> Wav2Vec2CTCTokenizer:
    names = ["<pad>", "<s>", "</s>", "<unk>", "|", *LETTERS]
    (folder / "vocab.json").write_text(json.dumps({name: n for n, name in enumerate(names)}))
    return Wav2Vec2CTCTokenizer(str(folder / "vocab.json"))


SMALL = {
    "hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 128,
    "conv_dim": [16] * 2 + [32] * 5,
    "num_conv_pos_embeddings": 16, "num_conv_pos_embedding_groups": 4, "vocab_size": 5 + len(LETTERS), "pad_token_id": 0,
    "mask_time_prob": 0.0, "mask_feature_prob": 0.0, "layerdrop": 0.0, "hidden_dropout": 0.0, "attention_dropout": 0.0,
    "activation_dropout": 0.0, "feat_proj_dropout": 0.0, "final_dropout": 0.0,
}  # fmt: skip
LAYER_NORM = {"feat_extract_norm": "layer", "do_stable_layer_norm": True, "conv_bias": True}


def save_ctc(folder: Path, model: torch.nn.Module) -> Path:
    """A folder as the hub has them: weights, tokenizer, feature extractor."""
    folder.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(folder)
    ctc_tokenizer(folder).save_pretrained(folder)
    Wav2Vec2FeatureExtractor(return_attention_mask=True).save_pretrained(folder)
    return folder


def train_ctc(folder: Path, shared: Path) -> Path:
    """A wav2vec2 that knows the four utterances, alone and in rows; it learns each letter at its known moment."""
    torch.manual_seed(0)
    model = Wav2Vec2ForCTC(Wav2Vec2Config(**SMALL, **LAYER_NORM, ctc_loss_reduction="mean", ctc_zero_infinity=True))
    names = {" ": 4} | {letter: 5 + n for n, letter in enumerate(LETTERS)}
    sounds = [normal(clip.samples[0]) for clip in clips(shared)]
    letters = [[(names[letter], at) for letter, at in [*moments(each), (" ", each.end)]] for each in UTTERANCES]
    single = _padded([_behind([sounds[n]], [letters[n]]) for n in range(4)])
    random = np.random.default_rng(0)
    model.train()
    for step, optimizer, rate in _steps(model, SPEED_CTC, STEPS_CTC):
        rows = random.integers(0, 4, (2, 3))
        row = [
            _behind([sounds[n] for n in row], [letters[n] for n in row], random.choice((0, 0.5, 1.0))) for row in rows
        ]
        values, mask, frames = _padded(row) if step % 2 else single
        logits = model(values, attention_mask=mask).logits
        size = min(logits.shape[1], frames.shape[1])
        weights = torch.where(frames[:, :size] > 0, 1.0, 0.3)
        weights[frames[:, :size] < 0] = 0.0
        each = torch.nn.functional.cross_entropy(
            logits[:, :size].transpose(1, 2), frames[:, :size].clamp(min=0), reduction="none"
        )
        loss = (each * weights).sum() / weights.sum()
        _learn(model, optimizer, rate, loss)
    return save_ctc(folder, model.eval())


def normal(samples):
    return (samples - samples.mean()) / np.sqrt(samples.var() + 1e-7)


def _behind(sounds, letters, gap=0.0):
    """(samples, symbol of each 20 ms frame) of utterances behind each other, so many seconds between them."""
    sounds = [np.pad(sound, (0, int(gap * RATE))) for sound in sounds]
    offsets = np.cumsum([0, *[len(sound) for sound in sounds[:-1]]])
    samples = np.concatenate(sounds)
    frames = np.zeros(len(samples) // 320 + 1, int)
    for offset, each in zip(offsets, letters, strict=True):
        last, symbol_before = -2, None
        for symbol, at in each:
            # A letter that is said twice needs a blank between.
            frame = max(int((at + offset / RATE) * 50), last + 1 + (symbol == symbol_before))
            frames[frame], last, symbol_before = symbol, frame, symbol
    return samples, frames


def _padded(examples):
    size = max(len(samples) for samples, _ in examples)
    values, mask = torch.zeros(len(examples), size), torch.zeros(len(examples), size, dtype=torch.long)
    frames = torch.full((len(examples), size // 320 + 1), -1)
    for n, (samples, symbols) in enumerate(examples):
        values[n, : len(samples)], mask[n, : len(samples)] = torch.from_numpy(samples), 1
        frames[n, : len(symbols)] = torch.from_numpy(symbols)
    return values, mask, frames


def _steps(model, speed, steps):
    """(step, optimizer, its rate) with a rate that warms up and falls to nothing."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=speed, weight_decay=0.0)
    for step in range(steps):
        yield step, optimizer, speed * min(1.0, (step + 1) / 20) * 0.5 * (1 + math.cos(math.pi * step / steps))


def _learn(model, optimizer, rate, loss):
    for group in optimizer.param_groups:
        group["lr"] = rate
    optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()


# Whisper


def whisper_tokenizer() -> WhisperTokenizer:
    """Bytes and Whisper's special tokens; two languages, times up to the window's end."""
    letters = sorted(ByteLevel.alphabet())
    special = [
        "<|endoftext|>", "<|startoftranscript|>", *[f"<|{code}|>" for code in LANGUAGES], "<|translate|>", "<|transcribe|>",
        "<|startoflm|>", "<|startofprev|>", "<|nospeech|>", "<|notimestamps|>",
        *[f"<|{n * 0.02:.2f}|>" for n in range(WINDOW * 50 + 1)],
    ]  # fmt: skip
    tokenizer = WhisperTokenizer(vocab={letter: n for n, letter in enumerate(letters)}, merges=[])
    tokenizer.add_special_tokens({"additional_special_tokens": special[1:]})
    return tokenizer


def whisper_model(tokenizer: WhisperTokenizer) -> WhisperForConditionalGeneration:
    number = tokenizer.convert_tokens_to_ids
    config = WhisperConfig(
        vocab_size=len(tokenizer), d_model=64, encoder_layers=2, decoder_layers=2, encoder_attention_heads=4,
        decoder_attention_heads=4, encoder_ffn_dim=128, decoder_ffn_dim=128, max_source_positions=WINDOW * 50,
        max_target_positions=96, pad_token_id=number("<|endoftext|>"), bos_token_id=number("<|endoftext|>"),
        eos_token_id=number("<|endoftext|>"), decoder_start_token_id=number("<|startoftranscript|>"), dropout=0.0,
        attn_implementation="eager", suppress_tokens=None, begin_suppress_tokens=None,
    )  # fmt: skip
    return WhisperForConditionalGeneration(config)


def save_whisper(folder: Path, model: torch.nn.Module, tokenizer: WhisperTokenizer) -> Path:
    """A folder as the hub has them."""
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    WhisperFeatureExtractor(chunk_length=WINDOW).save_pretrained(folder)
    return folder


def train_whisper(folder: Path, shared: Path) -> Path:
    """A Whisper that knows the four utterances, with and without times, asked as one of many languages or of one.

    It looks where it should.
    """
    torch.manual_seed(0)
    tokenizer = whisper_tokenizer()
    model = whisper_model(tokenizer)
    extract = WhisperFeatureExtractor(chunk_length=WINDOW)
    sounds = [clip.samples[0] for clip in clips(shared)]
    features = extract(sounds, sampling_rate=RATE, return_tensors="pt").input_features
    ways = [(head, times) for head in HEADS for times in (True, False)]
    rows, looks = zip(*[_answer(each, tokenizer, *way) for way in ways for each in UTTERANCES], strict=True)
    size = max(len(row) for row in rows)
    end = tokenizer.convert_tokens_to_ids("<|endoftext|>")
    given = torch.tensor([row + [end] * (size - len(row)) for row in rows])
    wanted = torch.tensor([row[1:] + [end] + [-100] * (size - len(row)) for row in rows])
    target = torch.tensor([look + [-1.0] * (size - len(look)) for look in looks])
    # Before the known moment and behind it, by position of the encoder: [rows, tokens, positions]
    near = ((torch.arange(WINDOW * 50) * 0.02 - target[..., None]).abs() < 0.06) & (target >= 0)[..., None]
    model.train()
    for _, optimizer, rate in _steps(model, SPEED_WHISPER, STEPS_WHISPER):
        encoded = BaseModelOutput(model.model.encoder(features).last_hidden_state.repeat(len(ways), 1, 1))
        made = model(encoder_outputs=encoded, decoder_input_ids=given, output_attentions=True)
        said = torch.nn.functional.cross_entropy(made.logits.transpose(1, 2), wanted)
        weights = made.cross_attentions[-1].mean(1)
        looked = -torch.log((weights * near).sum(-1) + 1e-6)[target >= 0].mean()
        _learn(model, optimizer, rate, said + 0.3 * looked)
    return save_whisper(folder, model.eval(), tokenizer)


def _answer(utterance: Utterance, tokenizer, head, times: bool):
    """(tokens up to the last one said, the moment that each row should look at for the next token; -1: anywhere)."""
    number = tokenizer.convert_tokens_to_ids
    said = moments(utterance)
    text = tokenizer.encode(" " + utterance.text, add_special_tokens=False)
    when = [utterance.starts[0], *[at for _, at in said]]
    assert len(text) == len(when)
    first, last = (f"<|{round(at * 50) * 0.02:.2f}|>" for at in (utterance.starts[0], utterance.end))
    head = [number(name) for name in head]
    if times:
        return [*head, number(first), *text, number(last)], [-1.0] * len(head) + [*when, utterance.end, -1.0]
    return [*head, number("<|notimestamps|>"), *text], [-1.0] * len(head) + [*when, utterance.end]


# Moonshine


def moonshine_tokenizer(pieces: list[str]) -> PreTrainedTokenizerFast:
    """Pieces of words, of which those that begin a word start with BLANK."""
    vocabulary = {piece: n for n, piece in enumerate(["<unk>", "<s>", "</s>", *pieces])}
    inner = Tokenizer(WordLevel(vocabulary, unk_token="<unk>"))
    inner.decoder = Metaspace()
    return PreTrainedTokenizerFast(tokenizer_object=inner, unk_token="<unk>", bos_token="<s>", eos_token="</s>")


def moonshine_model(tokenizer: PreTrainedTokenizerFast) -> MoonshineForConditionalGeneration:
    config = MoonshineConfig(
        vocab_size=len(tokenizer), hidden_size=64, intermediate_size=128, encoder_num_hidden_layers=2,
        decoder_num_hidden_layers=2, encoder_num_attention_heads=4, decoder_num_attention_heads=4,
        attn_implementation="eager",
    )  # fmt: skip
    return MoonshineForConditionalGeneration(config)


def save_moonshine(folder: Path, model: torch.nn.Module, tokenizer: PreTrainedTokenizerFast) -> Path:
    """A folder as the hub has them."""
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    Wav2Vec2FeatureExtractor(do_normalize=False, return_attention_mask=True).save_pretrained(folder)
    return folder


def _halves(utterance: Utterance) -> list[tuple[str, float]]:
    """The words in two pieces each, and when each piece begins."""
    found = []
    for word, start, end in utterance.spans():
        middle = len(word) // 2
        found += [(BLANK + word[:middle], start), (word[middle:], (start + end) / 2)]
    return found


def train_moonshine(folder: Path, shared: Path) -> Path:
    """A Moonshine that knows the four utterances, word by word in two pieces each, and looks where it should."""
    torch.manual_seed(0)
    halves = [_halves(each) for each in UTTERANCES]
    tokenizer = moonshine_tokenizer(sorted({piece for row in halves for piece, _ in row}))
    model, number = moonshine_model(tokenizer), tokenizer.convert_tokens_to_ids
    sounds = [torch.from_numpy(clip.samples[0]) for clip in clips(shared)]
    sizes = [int(model._get_feat_extract_output_lengths(len(sound))) for sound in sounds]
    model.train()
    for step, optimizer, rate in _steps(model, SPEED_MOONSHINE, STEPS_MOONSHINE):
        n = step % len(sounds)
        row = [number(piece) for piece, _ in halves[n]]
        when = torch.tensor([*(at for _, at in halves[n]), UTTERANCES[n].end])
        near = ((torch.arange(sizes[n]) * 0.024 - when[:, None]).abs() < 0.06).float()
        made = model(input_values=sounds[n][None], decoder_input_ids=torch.tensor([[1, *row]]), output_attentions=True)
        said = torch.nn.functional.cross_entropy(made.logits[0], torch.tensor([*row, 2]))
        weights = made.cross_attentions[-1].mean(1)[0]  # to lie over all of the positions near, not on one of them
        looked = -((weights + 1e-6).log() * near).sum() / near.sum()
        _learn(model, optimizer, rate, said + 0.3 * looked)
    return save_moonshine(folder, model.eval(), tokenizer)


def trained(kind: str, shared: Path, factory) -> Path:
    """The folder of the trained "ctc", "whisper" or "moonshine" model, made once in a run whichever worker asks first."""
    make = {"ctc": train_ctc, "whisper": train_whisper, "moonshine": train_moonshine}[kind]
    base = factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "trained" / kind
    folder.parent.mkdir(exist_ok=True)
    with FileLock(f"{folder}.lock"):
        if not folder.exists():
            make(folder.with_name(f"{kind}-half"), shared).rename(folder)
    return folder


# Untrained


def untrained(family: str, folder: Path) -> Path:
    """A model of random weights of any family, in its folder."""
    torch.manual_seed(1)
    if family == "parakeet":
        return _parakeet(folder)
    if family == "wav2vec2bert":
        return _bert(folder)
    if family == "moonshine":
        return _moonshine(folder)
    if family == "whisper":
        tokenizer = whisper_tokenizer()
        return save_whisper(folder, _livelier(whisper_model(tokenizer)), tokenizer)
    name, _, norm = family.partition("-")
    config, model = CTC_FAMILIES[name]
    more = (LAYER_NORM if norm == "layer" else {}) | ({"conv_dim": [32] * 13} if name == "sew" else {})
    return save_ctc(folder, _livelier(model(config(**(SMALL | more)))))


CTC_FAMILIES = {
    "wav2vec2": (Wav2Vec2Config, Wav2Vec2ForCTC), "hubert": (HubertConfig, HubertForCTC), "wavlm": (WavLMConfig, WavLMForCTC),
    "unispeech": (UniSpeechConfig, UniSpeechForCTC), "unispeechsat": (UniSpeechSatConfig, UniSpeechSatForCTC),
    "sew": (SEWConfig, SEWForCTC), "data2vec": (Data2VecAudioConfig, Data2VecAudioForCTC),
    "conformer": (Wav2Vec2ConformerConfig, Wav2Vec2ConformerForCTC),
}  # fmt: skip


def many_languages(folder: Path) -> Path:
    """A model whose vocabularies and last layers are per language, as MMS has them."""
    torch.manual_seed(1)
    model = _livelier(Wav2Vec2ForCTC(Wav2Vec2Config(**SMALL, **LAYER_NORM, adapter_attn_dim=8)))
    save_ctc(folder, model)
    save_file(model._get_adapters(), folder / "adapter.eng.safetensors")
    save_file({n: 1.5 * v + 0.1 for n, v in model._get_adapters().items()}, folder / "adapter.fra.safetensors")
    english = json.loads((folder / "vocab.json").read_text())
    french = {("É" if name == "A" else name): n for name, n in english.items()}
    (folder / "vocab.json").write_text(json.dumps({"eng": english, "fra": french}))
    settings = json.loads((folder / "tokenizer_config.json").read_text())
    (folder / "tokenizer_config.json").write_text(json.dumps(settings | {"target_lang": "eng"}))
    return folder


def _livelier(model: torch.nn.Module) -> torch.nn.Module:
    """Weights four times as large: fresh ones make nearly the same of every sound, and then nothing is compared."""
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() == 2:
                parameter.mul_(4.0)
    return model.eval()


def _parakeet(folder: Path) -> Path:
    pieces = ["<unk>", "▁the", "▁a", "s", "t", "▁cat", "e", "n", "▁o", "<pad>"]
    tokenizer = ParakeetTokenizer(
        tokenizer_object=Tokenizer(WordLevel({piece: n for n, piece in enumerate(pieces)}, unk_token="<unk>")),
        unk_token="<unk>", pad_token="<pad>",
    )  # fmt: skip
    encoder = {
        "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64, "dropout": 0.0,
        "subsampling_conv_channels": 16, "num_mel_bins": 80, "conv_kernel_size": 5, "layerdrop": 0.0,
    }  # fmt: skip
    config = ParakeetCTCConfig(vocab_size=len(pieces), pad_token_id=len(pieces) - 1, encoder_config=encoder)
    model = _livelier(ParakeetForCTC(config))
    model.ctc_head.bias.data[[0, -1]] -= 20  # else it says nothing but the blank
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    ParakeetFeatureExtractor().save_pretrained(folder)
    return folder


def _bert(folder: Path) -> Path:
    config = Wav2Vec2BertConfig(
        hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=64, vocab_size=5 + len(LETTERS),
        pad_token_id=0, conv_depthwise_kernel_size=5, apply_spec_augment=False, layerdrop=0.0,
    )  # fmt: skip
    save_ctc(folder, _livelier(Wav2Vec2BertForCTC(config)))
    SeamlessM4TFeatureExtractor().save_pretrained(folder)
    return folder


def _moonshine(folder: Path) -> Path:
    tokenizer = moonshine_tokenizer([f"{BLANK}w{n}" for n in range(61)])
    return save_moonshine(folder, _livelier(moonshine_model(tokenizer)), tokenizer)


# The arguments of adapters, and the comparison of records


def same(records, others) -> bool:
    """Whether records are the same; padding may change the last digits of probabilities."""
    return [_plain(record) for record in records] == [_plain(record) for record in others]


def _plain(record):
    segments = tuple(
        replace(s, probability=None, words=tuple(replace(w, probability=None) for w in s.words))
        for s in record.segments
    )
    return replace(record, segments=segments)


SPEC = ModelSpec("tiny", "transcribe", "", "", "", RATE, 0.1)


def runner(load, folder: Path, *, dtype: str = "float32", **options):
    """The model that an adapter's `load` makes of a folder, on the processor."""
    place = SimpleNamespace(device=torch.device("cpu"), dtype=dtype, precision="auto")
    return load(folder, SPEC, place, TranscribeOptions(**options))
