"""One window of Whisper: its features in, tokens out, with the model's confidence in them (Radford et al. 2022, 4.5)."""

from collections.abc import Callable, Sequence
from typing import Any

import torch

from ....models.checkpoints import generation, own_settings
from ..loops import compression
from .reading import Reading, hotter
from .tokens import Tokens


class Decoder:
    """The decoder of a loaded model, over encoded windows [batch, positions, width]."""

    def __init__(self, model: Any, tokens: Tokens, beam: int, temperature: float) -> None:
        self.model, self.tokens, self.beam, self.temperature = model, tokens, beam, temperature

    @torch.inference_mode()
    def languages(self, encoded: torch.Tensor) -> list[str]:
        """The likeliest language of each window."""
        given = torch.full((len(encoded), 1), self.tokens.start, device=encoded.device)
        hidden = self.model.model.decoder(input_ids=given, encoder_hidden_states=encoded).last_hidden_state
        codes = list(self.tokens.languages)
        numbers = [self.tokens.languages[code] for code in codes]
        return [codes[int(n)] for n in self.model.proj_out(hidden[:, 0])[:, numbers].argmax(-1)]

    def read(self, encoded: torch.Tensor, given: Sequence[list[int]]) -> list[Reading]:
        """Readings of windows, asked with the tokens `given` (as many for each); failures are read again, hotter.

        Hot readings are drawn window by window from a fixed seed, so that the rest of the batch does not change them.
        """
        readings = self._read(encoded, given, self.temperature)
        return [
            hotter(reading, self.temperature, self._again(encoded[n : n + 1], given[n]))
            for n, reading in enumerate(readings)
        ]

    def once(self, encoded: torch.Tensor, given: list[int], most: int) -> Reading:
        """A reading of one window, greedy and not tried again where it fails, of `most` tokens."""
        return self._read(encoded, [given], 0.0, most)[0]

    def _again(self, encoded: torch.Tensor, given: list[int]) -> Callable[[float], Reading]:
        return lambda temperature: self._read(encoded, [given], temperature)[0]

    @torch.inference_mode()
    def _read(
        self, encoded: torch.Tensor, given: Sequence[list[int]], temperature: float, most: int | None = None
    ) -> list[Reading]:
        generated = self._generate(encoded, torch.tensor(list(given), device=encoded.device), temperature, most)
        answers = [self._until_end(row) for row in generated[:, len(given[0]) :].tolist()]
        return self._judge(encoded, given, answers)

    def _until_end(self, row: list[int]) -> list[int]:
        return row[: row.index(self.tokens.end)] if self.tokens.end in row else row

    def _generate(
        self, encoded: torch.Tensor, given: torch.Tensor, temperature: float, most: int | None
    ) -> torch.Tensor:
        """Token numbers [batch, given + new].

        GenerationMixin's own loop: Whisper's around it decides on windows, languages and failures for a whole batch, and
        loses the scores of beams.
        """
        from transformers import GenerationMixin
        from transformers.modeling_outputs import BaseModelOutput

        room, rules = self.model.config.max_target_positions, self._rules(given.shape[1])
        longest = min(room // 2, room - given.shape[1], most or room)
        devices = [encoded.device] if encoded.device.type == "cuda" else []
        with torch.random.fork_rng(devices), own_settings(self.model):
            torch.manual_seed(0)
            made: Any = GenerationMixin.generate(
                self.model, encoder_outputs=BaseModelOutput(encoded), decoder_input_ids=given,
                attention_mask=torch.ones(encoded.shape[:2], device=encoded.device), logits_processor=rules,
                generation_config=self._config(temperature, longest),
            )  # fmt: skip
        return torch.as_tensor(made)

    def _config(self, temperature: float, most: int) -> Any:
        hot: dict[str, Any] = {"do_sample": True, "temperature": temperature, "top_k": 0} if temperature > 0 else {}
        return generation(
            eos_token_id=self.tokens.end, pad_token_id=self.tokens.end, decoder_start_token_id=self.tokens.start,
            num_beams=1 if hot else self.beam, max_new_tokens=most, use_cache=True, **hot,
        )  # fmt: skip

    def _rules(self, begin: int) -> Any:
        """The rules for tokens: those that are forbidden, and times that come in pairs and rise."""
        from transformers import (
            LogitsProcessorList,
            SuppressTokensAtBeginLogitsProcessor,
            SuppressTokensLogitsProcessor,
            WhisperTimeStampLogitsProcessor,
        )

        config, device = self.model.generation_config, self.model.device
        rules = LogitsProcessorList()
        if never := getattr(config, "suppress_tokens", None):
            rules.append(SuppressTokensLogitsProcessor(never, device=device))
        if not_first := getattr(config, "begin_suppress_tokens", None):
            rules.append(SuppressTokensAtBeginLogitsProcessor(not_first, begin, device=device))
        times = generation(
            no_timestamps_token_id=self.tokens.no_times, eos_token_id=self.tokens.end,
            max_initial_timestamp_index=getattr(config, "max_initial_timestamp_index", None) or 50,
        )  # fmt: skip
        rules.append(WhisperTimeStampLogitsProcessor(times, begin_index=begin))
        return rules

    def _judge(self, encoded: torch.Tensor, given: Sequence[list[int]], answers: Sequence[list[int]]) -> list[Reading]:
        """The model's confidence in the answers, by one more pass over them, the same for greedy, beams and samples."""
        rows = [[*asked, *answer, self.tokens.end] for asked, answer in zip(given, answers, strict=True)]
        hidden = self.model.model.decoder(
            input_ids=padded(rows, self.tokens.end).to(encoded.device), encoder_hidden_states=encoded
        ).last_hidden_state
        readings = []
        for states, row, asked, answer in zip(hidden, rows, given, answers, strict=True):
            # Row by row: the logits of 16 windows at once would take a gigabyte.
            log_probs = self.model.proj_out(states[: len(row) - 1]).float().log_softmax(-1)
            chosen = log_probs[torch.arange(len(row) - 1), torch.tensor(row[1:], device=log_probs.device)]
            silence = log_probs[asked.index(self.tokens.start), self.tokens.no_speech].exp()
            mean = float(chosen[len(asked) - 1 :].mean())
            readings.append(Reading(answer, mean, float(silence), compression(self.tokens.text(answer))))
        return readings


def padded(rows: Sequence[Sequence[int]], fill: int) -> torch.Tensor:
    """Rows of tokens as one [rows, longest]."""
    longest = max(len(row) for row in rows)
    return torch.tensor([[*row, *[fill] * (longest - len(row))] for row in rows])
