"""Word times of Whisper, from its decoder's cross-attention."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from ....records import Segment, Word
from ..cross_attention import edges, looking, upper_heads
from .decode import padded
from .tokens import TICK, Span, Tokens

DOUBT = 0.5  # s; a word that begins or ends further from its span's timestamp is believed less than that
Timed = list[tuple[Word, int]]  # words with their numbers of tokens


class Aligner:
    """Word times for a loaded model."""

    def __init__(self, model: Any, tokens: Tokens) -> None:
        self.model, self.tokens = model, tokens
        config = model.config
        known = getattr(model.generation_config, "alignment_heads", None)
        heads = known or upper_heads(config.decoder_layers, config.decoder_attention_heads)
        self.heads = [(int(layer), int(head)) for layer, head in heads]

    @torch.inference_mode()
    def words(
        self, encoded: torch.Tensor, asked: Sequence[list[int]], texts: Sequence[list[int]], loud: Sequence[tuple[float, float]],
        languages: Sequence[str],
    ) -> list[Timed]:  # fmt: skip
        """The words of windows, each with its number of tokens; times from the start of the window.

        encoded [windows, positions, width]; `asked` without prompts; `texts` without times; `loud`: seconds where the
        sound of each begins and ends, because the path would give the silence outside to the first and the last word.
        """
        rows = [
            [*before, self.tokens.no_times, *text, self.tokens.end] for before, text in zip(asked, texts, strict=True)
        ]
        with looking(self.model.model.decoder.layers, self.heads, self.model.config.decoder_attention_heads) as looks:
            hidden = self.model.model.decoder(
                input_ids=padded(rows, self.tokens.end).to(encoded.device), encoder_hidden_states=encoded
            ).last_hidden_state
        timed = []
        for n, (before, text) in enumerate(zip(asked, texts, strict=True)):
            first, last = len(before), len(before) + len(text)
            log_probs = self.model.proj_out(hidden[n, first:last]).float().log_softmax(-1)
            sure = log_probs[torch.arange(len(text)), torch.tensor(text, device=log_probs.device)].exp().tolist()
            times = edges(looks, self.heads, n, slice(first, last + 1), loud[n], TICK)
            timed.append(self._timed(text, sure, times, languages[n]))
        return timed

    def _timed(self, text: list[int], sure: list[float], times: list[float], language: str) -> Timed:
        words: Timed = []
        at = 0
        for name, group in self.tokens.words(text, language):
            until = at + len(group)
            probability = sum(sure[at:until]) / len(group)
            words.append((Word(name, times[at], times[until], probability), len(group)))
            at = until
        return words


def by_span(spans: Sequence[Span], timed: Timed) -> list[tuple[Word, ...]]:
    """The words of each span; one that reaches into the next span belongs to that where it begins."""
    usual = float(np.median([word.end - word.start for word, _ in timed])) if timed else 0.0
    words, taken, until = iter(timed), 0, 0
    result = []
    for span in spans:
        until += len(span.tokens)
        mine = []
        while taken < until and (following := next(words, None)):
            mine.append(following[0])
            taken += following[1]
        result.append(tuple(_trusted(mine, span, min(usual, 0.7))))
    return result


def _trusted(words: list[Word], span: Span, usual: float) -> list[Word]:
    """The words of a span without the silence that attention gives to its first and last one (whisper/timing.py)."""
    if words and words[0].start + DOUBT < span.start < words[0].end:
        words[0] = replace(words[0], start=max(0.0, min(words[0].end - usual, span.start)))
    if words and words[-1].start < span.end < words[-1].end - DOUBT:
        words[-1] = replace(words[-1], end=max(words[-1].start + usual, span.end))
    return words


def bounded(segment: Segment) -> Segment:
    """The segment from its first word to its last: they know better than the timestamps."""
    return replace(segment, start=segment.words[0].start, end=segment.words[-1].end) if segment.words else segment
