"""Word times of Whisper, from its decoder's cross-attention."""

from collections.abc import Sequence
from typing import Any

import torch

from ..cross_attention import edges, looking, upper_heads
from .decode import padded
from .timed import Timed, timed_words
from .tokens import TICK, Tokens


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
            timed.append(timed_words(self.tokens, text, sure, times, languages[n]))
        return timed
