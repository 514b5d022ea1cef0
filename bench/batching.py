"""200 utterances through Whisper: our padded batches against the loop of transformers' own ASR pipeline, on the processor.

The network has whisper-tiny's layers and vocabulary at two thirds of its width, and random weights, but for this: what the decoder
says depends on the position alone, a fixed sentence and then the end, so that both do the same work and must say the same.
"""

import csv
import os
import random
import tempfile
from collections.abc import Callable
from pathlib import Path, PurePath
from typing import Any

import torch
from tokenizers.pre_tokenizers import ByteLevel
from transformers import (
    WhisperConfig,
    WhisperFeatureExtractor,
    WhisperForConditionalGeneration,
    WhisperTokenizer,
    pipeline,
)
from transformers.utils import logging

from audiocli import audio
from audiocli.inputs.sources import Source
from audiocli.models.load import load
from audiocli.options import InputOptions, ModelOptions, TranscribeOptions
from audiocli.verbs.transcribe.recogniser import Recogniser
from audiocli.verbs.transcribe.work import Work
from bench._common import Row, seconds
from tests.kernels.rhythm_signals import DATA
from tests.models.tiny import LANGUAGES

UTTERANCES = int(os.environ.get("AUDIOCLI_BENCH_UTTERANCES", "200"))
WORDS = 24  # of the sentence: as many as a person says in 10 s
VOCABULARY = 50_257  # text tokens
WIDTH, HEADS = 256, 4
LOUD = 40.0  # how far the sentence stands out of the random rest


def tokenizer() -> WhisperTokenizer:
    """Letters, words, and Whisper's special tokens for windows of 30 s."""
    letters = sorted(ByteLevel.alphabet())
    names = [*letters, *[f"\u0120w{n}" for n in range(VOCABULARY - len(letters))]]
    made = WhisperTokenizer(vocab={name: n for n, name in enumerate(names)}, merges=[])
    special = [
        "<|startoftranscript|>", *[f"<|{code}|>" for code in LANGUAGES], "<|translate|>", "<|transcribe|>", "<|startoflm|>",
        "<|startofprev|>", "<|nospeech|>", "<|notimestamps|>", *[f"<|{n * 0.02:.2f}|>" for n in range(1_501)],
    ]  # fmt: skip
    made.add_special_tokens({"additional_special_tokens": special})
    return made


def network(made: WhisperTokenizer) -> WhisperForConditionalGeneration:
    torch.manual_seed(0)
    number: Callable[[str], int] = made.convert_tokens_to_ids  # type: ignore[assignment]  # one token, one number
    end = number("<|endoftext|>")
    config = WhisperConfig(
        vocab_size=len(made), d_model=WIDTH, encoder_layers=4, decoder_layers=4, encoder_attention_heads=HEADS,
        decoder_attention_heads=HEADS, encoder_ffn_dim=4 * WIDTH, decoder_ffn_dim=4 * WIDTH, pad_token_id=end,
        bos_token_id=end, eos_token_id=end, decoder_start_token_id=number("<|startoftranscript|>"), dropout=0.0,
        suppress_tokens=None, begin_suppress_tokens=None,
    )  # fmt: skip
    model = WhisperForConditionalGeneration(config)
    sentence = [number("<|0.00|>"), *[number(f"\u0120w{97 * n}") for n in range(WORDS)], number("<|8.00|>"), end]
    with torch.no_grad():
        rows = model.model.decoder.embed_tokens.weight
        rows.copy_(torch.nn.functional.normalize(torch.randn_like(rows), dim=1))
        positions = model.model.decoder.embed_positions.weight
        for n, token in enumerate(sentence):  # behind <|startoftranscript|>, the language and the task
            positions[n + 2] = LOUD * rows[token]
        model.model.decoder.layer_norm.weight.fill_(2.0)
    settings: Any = model.generation_config
    settings.no_timestamps_token_id = number("<|notimestamps|>")
    settings._from_model_config = False  # else it would be replaced
    settings.is_multilingual = True
    settings.lang_to_id = {f"<|{code}|>": number(f"<|{code}|>") for code in LANGUAGES}
    settings.task_to_id = {task: number(f"<|{task}|>") for task in ("transcribe", "translate")}
    model.train(False)
    return model


def saved(folder: Path) -> str:
    made = tokenizer()
    parts: list[Any] = [network(made), made, WhisperFeatureExtractor()]  # type: ignore[no-untyped-call]  # transformers
    for part in parts:
        part.save_pretrained(folder)
    return str(folder)


def files() -> list[Path]:
    folder = DATA / "mini-librispeech"
    with (folder / "transcripts.tsv").open() as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    return [folder / row["path"] for row in random.Random(1).sample(rows, UTTERANCES)]


class Ours:
    """`audiocli transcribe` without writing; keeps the texts, and the seconds within the model."""

    def __init__(self, folder: str) -> None:
        runner: Any = load(
            folder, "transcribe", Recogniser, ModelOptions(device="cpu"), TranscribeOptions(language="en")
        )
        self.inside, self.texts = 0.0, list[str]()
        self._hear = runner.__call__
        self.sample_rate, self.traits, self.batches = runner.sample_rate, runner.traits, runner.batches
        recogniser: Any = self  # its __call__ names the clips otherwise
        self.work = Work(recogniser, InputOptions(), {}, vad=True)

    def __call__(self, clips: list[audio.Audio]) -> Any:
        made: list[Any] = []
        self.inside += seconds(lambda: made.extend(self._hear(clips)))
        return made

    def run(self, paths: list[Path]) -> None:
        grouping = self.work.grouping
        assert grouping
        waiting: list[Any] = []
        for path in paths:
            waiting.append(self.work.read(Source(str(path), PurePath(path.name))))
            if len(waiting) == grouping.window:
                self.texts += [record.text for record in self.work(waiting)]
                waiting = []
        self.texts += [record.text for record in self.work(waiting)]


def rows() -> list[Row]:
    logging.set_verbosity_error()  # type: ignore[no-untyped-call]  # transformers
    paths = files()
    length = sum(audio.read(path).duration for path in paths)
    with tempfile.TemporaryDirectory() as name:
        folder = saved(Path(name))
        ours = Ours(folder)
        peer = pipeline("automatic-speech-recognition", folder, device="cpu")
        texts: list[str] = []

        def loop() -> None:
            for path in paths:
                samples = audio.read(path, sample_rate=16_000, mono=True).samples[0]
                said: Any = peer(samples, generate_kwargs={"language": "en"})
                texts.append(said["text"].strip())

        took, theirs = seconds(lambda: ours.run(paths)), seconds(loop)
    same = sum(a.split()[:WORDS] == b.split()[:WORDS] for a, b in zip(ours.texts, texts, strict=True))
    what = f"{UTTERANCES} utterances ({length:.0f} s), a random Whisper of {WIDTH} x (4 + 4) layers"
    note = (
        f"{same} of {UTTERANCES} texts begin the same; {length / took:.1f}x real time, the peer {length / theirs:.1f}x"
    )
    share = took / ours.inside
    return [
        Row(what, took, "transformers' pipeline, file by file", theirs, ">= 2x", theirs >= 2 * took, note),
        Row("the same, the whole run against the model alone", took, "our model alone", ours.inside, ">= 0.9x", share <= 1.1),
    ]  # fmt: skip


if __name__ == "__main__":
    for row in rows():
        print(row)
