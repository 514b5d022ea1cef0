"""Moonshine through transformers (Jeffries et al. 2024): short clips as they are, long ones cut where it is quiet."""

from collections.abc import Iterator, Sequence
from copy import copy
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ...audio import Audio
from ...audio.level import loud_part, mono, silent
from ...models.batches import Batches
from ...models.checkpoints import checkpoint, extractor, generation, own_settings
from ...models.registry import ModelSpec
from ...options import TranscribeOptions
from ...records import Segment, Transcript, Word, later
from .cross_attention import edges, looking, upper_heads
from .loops import without_loops
from .masked import mask_norms
from .models import MOONSHINE
from .recogniser import TRAITS
from .results import SILENT, Found, record

LONGEST = 30.0  # s; it was trained on 4 to 30
QUIET = 0.2  # s; a cut lies in the middle of the quietest stretch of this length
SHORTEST = 0.2  # s; shorter pieces are padded, because no frame fits into them
SECONDS = 480.0  # of padded audio in one forward pass
TOKENS_PER_SECOND = 6.5  # the model's card: more than that are a loop
BLANK = "▁"  # that a token of its vocabulary begins with where a word does
STRIDE = 384  # samples per position of the encoder: 64 * 3 * 2


def load(path: Path, spec: ModelSpec, place: Any, options: TranscribeOptions) -> "MoonshineRunner":
    """The runner of a Moonshine checkpoint in the folder `path`; `place` has the device and the precision."""
    from transformers import AutoTokenizer, MoonshineForConditionalGeneration

    model = checkpoint(MoonshineForConditionalGeneration, path, place)
    tokenizer = AutoTokenizer.from_pretrained(path, local_files_only=True)
    return MoonshineRunner(model, int(extractor(path).sampling_rate), tokenizer, spec, options)


class MoonshineRunner:
    """Clips in, transcripts out; the pieces of all clips share padded batches."""

    traits = TRAITS[MOONSHINE]

    def __init__(
        self, model: Any, sample_rate: int, tokenizer: Any, spec: ModelSpec, options: TranscribeOptions
    ) -> None:
        self.spec, self.options, self.sample_rate = spec, options, sample_rate
        self._model, self._tokenizer, self._norms = model, tokenizer, mask_norms(model)
        self.batches = Batches(options.batch_size, SECONDS, model.device)
        self._n_heads = model.config.decoder_num_attention_heads
        self._heads = upper_heads(model.config.decoder_num_hidden_layers, self._n_heads)

    def __call__(self, batch: list[Audio]) -> list[Transcript]:
        """The transcripts of the clips [1, samples], in their order."""
        pieces = [(n, *piece) for n, audio in enumerate(batch) for piece in pieces_of(mono(audio), self.sample_rate)]
        answers = self.batches.run(
            [samples for *_, samples in pieces], lambda samples: len(samples) / self.sample_rate, self._read
        )
        by_clip: list[list[Segment]] = [[] for _ in batch]
        dropped: list[list[str]] = [[] for _ in batch]
        for (owner, start, _), one in zip(pieces, answers, strict=True):
            segments, lines = without_loops([one])
            by_clip[owner] += later(segments, start)
            dropped[owner] += lines
        return [
            record(
                audio, self.spec, Found(tuple(segments), self.options.language, tuple(lines)) if segments else SILENT
            )
            for audio, segments, lines in zip(batch, by_clip, dropped, strict=True)
        ]

    @torch.inference_mode()
    def _read(self, pieces: Sequence[NDArray[np.float32]]) -> list[Segment]:
        """The segments of each piece, times from its start."""
        encoded, mask = self._encoded(pieces)
        most = [max(int(len(piece) / self.sample_rate * TOKENS_PER_SECOND), 2) for piece in pieces]
        config = self._model.config
        start, end = int(config.decoder_start_token_id), int(self._model.generation_config.eos_token_id)
        # A copy, because a beam puts its own multiple of it in there.
        settings = generation(
            decoder_start_token_id=start, eos_token_id=end, pad_token_id=end, max_new_tokens=max(most) + 1,
            num_beams=self.options.beam,
        )  # fmt: skip
        with own_settings(self._model):
            generated = self._model.generate(
                encoder_outputs=copy(encoded), attention_mask=mask, generation_config=settings,
                logits_processor=[_limit(most, self.options.beam, end)],
            )  # fmt: skip
        answers = [row[1 : row.index(end)] if end in row else row[1:] for row in generated.tolist()]
        return [
            self._judged(encoded, n, [start, *answer, end], loud_part(pieces[n], self.sample_rate))
            for n, answer in enumerate(answers)
        ]

    def _encoded(self, pieces: Sequence[NDArray[np.float32]]) -> tuple[Any, torch.Tensor]:
        """The encoder's output for the pieces, and the mask of their samples that gives each its own positions."""
        device, dtype = self._model.device, self._model.dtype
        padded = torch.nn.utils.rnn.pad_sequence([torch.from_numpy(piece) for piece in pieces], batch_first=True)
        positions = [self._model._get_feat_extract_output_lengths(len(piece)) for piece in pieces]
        # The model takes every STRIDE-th value of the mask; that of the samples would let in positions of half padding.
        last = torch.tensor(positions, device=device)[:, None] * STRIDE
        mask = (torch.arange(padded.shape[1], device=device) < last).long()
        for norm in self._norms:
            norm.lengths = torch.tensor([len(piece) for piece in pieces], device=device)
        return self._model.model.encoder(padded.to(device, dtype), attention_mask=mask), mask

    def _judged(self, encoded: Any, n: int, row: list[int], loud: tuple[float, float]) -> Segment:
        """An answer, start and end included, with the mean probability of its tokens and, when asked for, its words."""
        decoder = self._model.model.decoder
        own = None if encoded.attention_mask is None else int(encoded.attention_mask[n].sum())
        states = encoded.last_hidden_state[n : n + 1, :own]
        timed = self.options.timestamps == "word"
        with looking(decoder.layers, self._heads if timed else (), self._n_heads) as looks:
            hidden = decoder(
                input_ids=torch.tensor([row[:-1]], device=self._model.device), encoder_hidden_states=states
            ).last_hidden_state[0]
        log_probs = self._model.proj_out(hidden).float().log_softmax(-1)
        log_probability = log_probs[torch.arange(len(row) - 1), torch.tensor(row[1:], device=log_probs.device)]
        words = tuple(self._words(looks, row[1:-1], log_probability.exp().tolist(), loud)) if timed else ()
        first, last = (words[0].start, words[-1].end) if words else loud
        text = str(self._tokenizer.decode(row, skip_special_tokens=True)).strip()
        return Segment(first, last, text and f" {text}", words, float(log_probability.mean().exp()))

    def _words(
        self, looks: dict[int, torch.Tensor], answer: list[int], sure: list[float], loud: tuple[float, float]
    ) -> Iterator[Word]:
        """The words of an answer; with times from the decoder's attention to their first tokens."""
        times = edges(looks, self._heads, 0, slice(len(answer) + 1), loud, STRIDE / self.sample_rate)
        starts = [n for n, token in enumerate(self._tokenizer.convert_ids_to_tokens(answer)) if token.startswith(BLANK)]
        starts = [0, *(n for n in starts if n)] if answer else []
        for begin, end in zip(starts, [*starts[1:], len(answer)], strict=True):
            text = str(self._tokenizer.decode(answer[begin:end], skip_special_tokens=True)).strip()
            if text:
                yield Word(f" {text}", times[begin], times[end], float(np.mean(sure[begin:end])))


def _limit(most: Sequence[int], beam: int, end: int) -> Any:
    """A rule for generate: after most[n] tokens, clip n has ended; so each ends as it would alone, in a beam too."""

    def rule(tokens: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        limits = torch.tensor(most, device=tokens.device).repeat_interleave(beam)
        over = tokens.shape[1] - 1 >= limits
        scores[over] = -torch.inf
        scores[over, end] = 0.0
        return scores

    return rule


def pieces_of(samples: NDArray[np.float32], sample_rate: int) -> Iterator[tuple[float, NDArray[np.float32]]]:
    """(start in seconds, samples) of the pieces of a clip [samples], none longer than LONGEST; silent ones are left out."""
    start = 0
    while start < len(samples):
        rest = samples[start:]
        size = len(rest) if len(rest) <= LONGEST * sample_rate else _quietest(rest, sample_rate)
        if not silent(rest[:size], sample_rate):
            yield start / sample_rate, np.pad(rest[:size], (0, max(int(SHORTEST * sample_rate) - size, 0)))
        start += size


def _quietest(samples: NDArray[np.float32], sample_rate: int) -> int:
    """The sample in the last third of LONGEST around which it is quietest."""
    first, last, size = (int(seconds * sample_rate) for seconds in (LONGEST * 2 / 3, LONGEST, QUIET))
    energy = np.cumsum(np.square(samples[first:last], dtype=np.float64))
    return first + int(np.argmin(energy[size:] - energy[:-size])) + size // 2
