"""CTC encoders through transformers: wav2vec2, XLS-R, MMS, HuBERT, WavLM, Parakeet-CTC and their kin."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ...audio import Audio
from ...audio.level import mono, silent
from ...errors import UsageError
from ...models.batches import Batches
from ...models.checkpoints import checkpoint, extractor
from ...models.languages import nearest
from ...models.registry import ModelSpec
from ...options import TranscribeOptions
from ...records import Segment, Transcript, Word
from . import arpa, ctc_words
from .chunks import Chunk, cut, join
from .loops import spoken
from .masked import mask_norms
from .models import CTC
from .recogniser import TRAITS
from .results import SILENT, Found, record

CHUNK = 30.0  # s; attention costs the square of the length
CONTEXT = 4.0  # s on either side of a chunk; the encoders make little use of what is further away
SECONDS = 240.0  # of padded audio in one forward pass
SHORTEST = 0.2  # s; shorter clips are padded, because no frame fits into them
BERT = "wav2vec2-bert"
PAUSE = 0.8  # s without a word end a segment
# Whose padding stays out of their results; the others (convolutions behind the attention) batch clips of one length only.
MASKED = frozenset({"wav2vec2", "hubert", "wavlm", "unispeech", "unispeech-sat", "parakeet_ctc", "wav2vec2-bert"})
BEAM = 16  # hot words and n-grams need a beam at least so wide


def load(path: Path, spec: ModelSpec, place: Any, options: TranscribeOptions) -> "CtcRunner":
    """The runner of a CTC checkpoint in the folder `path`; `place` has the device and the precision."""
    from transformers import AutoModelForCTC, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(path, local_files_only=True)
    adapter = _adapter(tokenizer, options.language)
    options = replace(options, language=adapter.get("target_lang", options.language))
    model = checkpoint(AutoModelForCTC, path, place, **adapter)
    return CtcRunner(model, extractor(path), ctc_words.Alphabet.of(tokenizer, model.config), spec, options)


def _adapter(tokenizer: Any, language: str | None) -> dict[str, Any]:
    """The arguments that load one language's weights of a model that keeps them apart (MMS); sets the tokenizer to it."""
    vocabularies = getattr(tokenizer, "vocab", None)
    if not (language and isinstance(vocabularies, dict) and any(isinstance(v, dict) for v in vocabularies.values())):
        return {}
    code = nearest(language, vocabularies)
    if code is None:
        raise UsageError(
            f"--language {language}: this model has {', '.join(sorted(vocabularies)[:20])}, ... (ISO 639-3)"
        )
    tokenizer.set_target_lang(code)
    return {"target_lang": code, "ignore_mismatched_sizes": True}


@dataclass(frozen=True)
class _Piece:
    """A chunk of a clip, in rows of what the model takes: samples [rows], or features [rows, bands]."""

    owner: int
    chunk: Chunk
    rows: torch.Tensor


class CtcRunner:
    """Clips in, transcripts out; long clips are cut, and the pieces of all clips share padded batches."""

    traits = TRAITS[CTC]

    def __init__(
        self, model: Any, inputs: Any, alphabet: ctc_words.Alphabet, spec: ModelSpec, options: TranscribeOptions
    ) -> None:
        self.spec, self.options = spec, options
        self.sample_rate = int(inputs.sampling_rate)
        self._model, self._inputs, self._alphabet = model, inputs, alphabet
        self._row = _samples_per_row(model, inputs)
        self._ngrams = arpa.read(options.lm) if options.lm else None
        self._step = _rows_per_frame(model)
        self._norms = mask_norms(model)
        self.batches = Batches(options.batch_size, SECONDS, model.device)

    def __call__(self, batch: list[Audio]) -> list[Transcript]:
        """The transcripts of the clips [1, samples], in their order."""
        loud = [n for n, audio in enumerate(batch) if not silent(mono(audio), self.sample_rate)]
        emissions = dict(zip(loud, self.emissions([mono(batch[n]) for n in loud]), strict=True))
        return [
            record(audio, self.spec, self._found(emissions[n]) if n in emissions else SILENT)
            for n, audio in enumerate(batch)
        ]

    @property
    def frame(self) -> float:
        """Seconds from one frame of the emissions to the next."""
        return self._step * self._row / self.sample_rate

    def emissions(self, clips: Sequence[NDArray[np.float32]]) -> list[ctc_words.LogProbs]:
        """Log probabilities [frames, symbols] of each clip [samples]."""
        pieces = [piece for owner, clip in enumerate(clips) for piece in self._cut(owner, clip)]
        made = self.batches.run(
            pieces, lambda piece: len(piece.rows) * self._row / self.sample_rate,
            lambda group: self._forward([piece.rows for piece in group]),
            alike=self._model.config.model_type not in MASKED,
        )  # fmt: skip
        joined = []
        for owner in range(len(clips)):
            mine = [n for n, piece in enumerate(pieces) if piece.owner == owner]
            joined.append(join([made[n] for n in mine], [pieces[n].chunk for n in mine], self._step))
        return joined

    def _cut(self, owner: int, clip: NDArray[np.float32]) -> Iterator[_Piece]:
        """The pieces of a clip, which is normalised as a whole, so that pieces are as loud as the whole is."""
        shortest = int(SHORTEST * self.sample_rate)
        clip = np.pad(clip, (0, max(shortest - len(clip), 0)))
        made = self._inputs(clip, sampling_rate=self.sample_rate, return_tensors="pt", return_attention_mask=True)
        rows = made[self._model.main_input_name][0][: int(made["attention_mask"].sum())]
        per_second = self.sample_rate // self._row
        length, context = int(CHUNK * per_second), int(CONTEXT * per_second)
        for chunk in cut(len(rows), length=length, context=context, step=self._step):
            yield _Piece(owner, chunk, rows[chunk.start : chunk.stop])

    @torch.inference_mode()
    def _forward(self, rows: Sequence[torch.Tensor]) -> list[ctc_words.LogProbs]:
        """Log probabilities [frames, symbols] of each input, all in one padded batch."""
        device, dtype = self._model.device, self._model.dtype
        lengths = torch.tensor([len(each) for each in rows], device=device)
        padded = torch.nn.utils.rnn.pad_sequence(list(rows), batch_first=True).to(device, dtype)
        mask = (torch.arange(padded.shape[1], device=device) < lengths[:, None]).long()
        for norm in self._norms:
            norm.lengths = lengths
        logits = self._model(**{self._model.main_input_name: padded}, attention_mask=mask).logits
        log_probs = logits.float().log_softmax(-1).cpu().numpy()
        return [each[:n] for each, n in zip(log_probs, _frames(self._model, lengths), strict=True)]

    def _found(self, log_probs: ctc_words.LogProbs) -> Found:
        width, hotwords = self.options.beam, self.options.hotwords
        if hotwords or self._ngrams:
            width = max(width, BEAM)
        if width > 1:
            tokens = ctc_words.beam(log_probs, self._alphabet, width, hotwords, self._ngrams, self.options.lm_weight)
        else:
            tokens = ctc_words.greedy(log_probs, self._alphabet)
        words = ctc_words.words(tokens, self._alphabet, self.frame)
        with_words = self.options.timestamps == "word"
        return Found(tuple(_segment(group, with_words) for group in _by_pause(words)), self.options.language)


def _by_pause(words: Sequence[Word]) -> Iterator[list[Word]]:
    group: list[Word] = []
    for word in words:
        if group and word.start - group[-1].end > PAUSE:
            yield group
            group = []
        group.append(word)
    if group:
        yield group


def _segment(words: Sequence[Word], with_words: bool) -> Segment:
    sure = sum(word.probability or 0.0 for word in words) / len(words)
    words = tuple(replace(word, text=f" {word.text}") for word in words)
    return Segment(words[0].start, words[-1].end, spoken(words), words if with_words else (), sure)


def _samples_per_row(model: Any, inputs: Any) -> int:
    """Samples of the clip per row of the input."""
    if model.main_input_name == "input_values":
        return 1
    if model.config.model_type == BERT:  # its extractor puts `stride` frames of 10 ms into a row
        return int(inputs.stride * inputs.sampling_rate // 100)
    return int(inputs.hop_length)


def _rows_per_frame(model: Any) -> int:
    """Rows of the input per frame of the emissions."""
    config = model.config
    if config.model_type == BERT:
        return int(config.adapter_stride**config.num_adapter_layers) if config.add_adapter else 1
    if hasattr(config, "conv_stride"):
        adapter = config.adapter_stride**config.num_adapter_layers if getattr(config, "add_adapter", False) else 1
        return int(math.prod(config.conv_stride) * adapter)
    return int(config.encoder_config.subsampling_factor)


def _frames(model: Any, rows: torch.Tensor) -> list[int]:
    """The number of frames that so many rows give."""
    if hasattr(model, "_get_feat_extract_output_lengths"):
        return [int(n) for n in model._get_feat_extract_output_lengths(rows)]
    return [int(n) for n in model.encoder._get_subsampling_output_length(rows)]
