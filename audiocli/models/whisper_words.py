"""When Whisper's decoder looked where: word times from its cross-attention, by dynamic time warping."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import median_filter

from ..records import Segment, Word
from .whisper_decode import padded
from .whisper_tokens import TICK, Span, Tokens

SMOOTH = 7  # positions of the median filter over time
DOUBT = 0.5  # s; a word that begins or ends further from its span's timestamp is believed less than that
Timed = list[tuple[Word, int]]  # words with their numbers of tokens


class Aligner:
    """Word times for a loaded model."""

    def __init__(self, model: Any, tokens: Tokens) -> None:
        self.model, self.tokens = model, tokens
        config = model.config
        every = [(n, h) for n in range(config.decoder_layers) for h in range(config.decoder_attention_heads)]
        # Where nobody has looked for the heads that follow the sound, those of the upper layers are the better guess.
        upper = [(layer, head) for layer, head in every if layer >= config.decoder_layers // 2]
        heads = getattr(model.generation_config, "alignment_heads", None) or upper
        self.heads = [(int(layer), int(head)) for layer, head in heads]

    @torch.inference_mode()
    def words(
        self, encoded: torch.Tensor, asked: Sequence[list[int]], texts: Sequence[list[int]], loud: Sequence[tuple[float, float]],
        languages: Sequence[str],
    ) -> list[Timed]:  # fmt: skip
        """The words of windows, each with how many tokens it has; times from the start of the window.

        encoded [windows, positions, width]; `asked` without prompts; `texts` without times; `loud`: seconds where the
        sound of each begins and ends, because the path would give the silence outside to the first and the last word.
        """
        rows = [
            [*before, self.tokens.no_times, *text, self.tokens.end] for before, text in zip(asked, texts, strict=True)
        ]
        with self._looking() as looks:
            hidden = self.model.model.decoder(
                input_ids=padded(rows, self.tokens.end).to(encoded.device), encoder_hidden_states=encoded
            ).last_hidden_state
        found = []
        for n, (before, text) in enumerate(zip(asked, texts, strict=True)):
            first, last = len(before), len(before) + len(text)
            log_probs = self.model.proj_out(hidden[n, first:last]).float().log_softmax(-1)
            sure = log_probs[torch.arange(len(text)), torch.tensor(text, device=log_probs.device)].exp().tolist()
            begin, stop = (round(at / TICK) for at in loud[n])
            weights = torch.stack([looks[layer][n, head] for layer, head in self.heads])[
                :, first : last + 1, begin:stop
            ]
            times = [begin * TICK + at for at in edges(weights.cpu().numpy())]
            found.append(self._timed(text, sure, times, languages[n]))
        return found

    def _timed(self, text: list[int], sure: list[float], times: list[float], language: str) -> Timed:
        words: Timed = []
        at = 0
        for name, group in self.tokens.words(text, language):
            until = at + len(group)
            probability = sum(sure[at:until]) / len(group)
            words.append((Word(name, times[at], times[until], probability), len(group)))
            at = until
        return words

    @contextmanager
    def _looking(self) -> Iterator[dict[int, torch.Tensor]]:
        """Meanwhile, the cross-attention weights [batch, heads, tokens, positions] of the layers of our heads, by layer.

        From the queries and keys as they pass: the quick attention kernels keep no weights, and a model set to keep them
        is slow in all that it does.
        """
        seen: dict[tuple[int, str], torch.Tensor] = {}
        looks: dict[int, torch.Tensor] = {}
        layers = self.model.model.decoder.layers
        hooks = [
            getattr(layers[layer].encoder_attn, name).register_forward_hook(_keeper(seen, (layer, name)))
            for layer in {layer for layer, _ in self.heads}
            for name in ("q_proj", "k_proj")
        ]
        try:
            yield looks
        finally:
            for hook in hooks:
                hook.remove()
        for layer in {layer for layer, _ in self.heads}:
            query, key = (self._by_head(seen[layer, name]) for name in ("q_proj", "k_proj"))
            looks[layer] = (query @ key.transpose(-1, -2) / query.shape[-1] ** 0.5).softmax(-1)

    def _by_head(self, values: torch.Tensor) -> torch.Tensor:
        """Values [batch, n, width] as [batch, heads, n, width of a head]."""
        heads = self.model.config.decoder_attention_heads
        return values.reshape(*values.shape[:2], heads, -1).transpose(1, 2).float()


def _keeper(seen: dict[tuple[int, str], torch.Tensor], name: tuple[int, str]) -> Any:
    def keep(module: Any, inputs: Any, output: torch.Tensor) -> None:
        seen[name] = output

    return keep


def edges(weights: NDArray[np.float32]) -> list[float]:
    """When each token begins, in seconds: weights [heads, tokens, positions] -> [tokens].

    Each position's weights are made to stand out over the tokens, smoothed over time, averaged over heads, and the path of
    most weight from the first token at the start to the last at the end is taken.
    """
    spread = weights.std(axis=1, keepdims=True)
    clear = (weights - weights.mean(axis=1, keepdims=True)) / np.maximum(spread, 1e-10)
    path = warped(-median_filter(clear, size=(1, 1, SMOOTH), mode="reflect").mean(axis=0))
    return [float(column) * TICK for column in path]


def warped(cost: NDArray[np.floating[Any]]) -> list[int]:
    """The first column of each row on the cheapest path through cost [rows, columns]: steps right, down and both."""
    rows, columns = cost.shape
    total = np.full((rows + 1, columns + 1), np.inf)
    total[0, 0] = 0.0
    for row in range(rows):
        # total[j] = cost[j] + min(above[j], above[j - 1], total[j - 1]); with running sums of the cost taken off, the last of
        # the three is a running minimum.
        sums = np.cumsum(cost[row])
        above = np.minimum(total[row, :-1], total[row, 1:])
        total[row + 1, 1:] = sums + np.minimum.accumulate(above - (sums - cost[row]))
    row, column, firsts = rows, columns, [0] * rows
    while row > 0:
        firsts[row - 1] = column - 1
        diagonal, up, left = total[row - 1, column - 1], total[row - 1, column], total[row, column - 1]
        if diagonal <= min(up, left):
            row, column = row - 1, column - 1
        elif left < up:
            column -= 1
        else:
            row -= 1
    return firsts


def by_span(found: Sequence[Span], timed: Timed) -> list[tuple[Word, ...]]:
    """The words of each span; one that reaches into the next span belongs to that where it begins."""
    usual = float(np.median([word.end - word.start for word, _ in timed])) if timed else 0.0
    words, taken, until = iter(timed), 0, 0
    result = []
    for span in found:
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


def later(segment: Segment, seconds: float) -> Segment:
    """The segment moved by so much; its words, which know better, say when it begins and ends."""
    words = tuple(replace(word, start=word.start + seconds, end=word.end + seconds) for word in segment.words)
    start, end = (words[0].start, words[-1].end) if words else (segment.start + seconds, segment.end + seconds)
    return replace(segment, start=start, end=end, words=words)
