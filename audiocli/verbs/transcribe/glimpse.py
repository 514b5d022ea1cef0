"""A quick look at speech through faster-whisper: the encoder hears what there is instead of 30 s, the decoder writes no times.

Ten times as fast for a second of speech; the text is a little worse, and good enough to be shown until it is heard thoroughly.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .loops import RATIO, compression

ROOM = 1.5  # s of silence behind the samples: a model that hears nothing else repeats the last word
FRAMES = 3_000  # that the encoder takes at most, 10 ms each
CONTEXT = 100  # tokens of what was said before
# What people say in a second is at most RATE tokens; more is a loop, which is cut off soon.
FEW, RATE = 8, 8


def glimpse(
    model: Any, samples: NDArray[np.float32], *, prompt: str | None, language: str | None, task: str = "transcribe"
) -> list[str]:
    """The words in samples [n]: a list that may be empty. language: a code of the model's, or None to detect it."""
    encoded = model.encode(_features(model, samples))
    code = language or _language(model, encoded)
    tokenizer = _tokenizer(model, task, code)
    start = [*_before(tokenizer, prompt), *tokenizer.sot_sequence, tokenizer.no_timestamps]
    most = len(start) + FEW + int(RATE * samples.size / model.feature_extractor.sampling_rate)
    best = model.model.generate(
        encoded, [start], beam_size=1, max_length=min(most, model.max_length), suppress_blank=True,
        suppress_tokens=[-1],
    )[0]  # fmt: skip
    text = tokenizer.decode(best.sequences_ids[0])
    return [] if compression(text) > RATIO else text.split()


def _features(model: Any, samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Log-mel frames [bands, n] of the samples and a little silence; n is even, as the encoder halves it."""
    room = round(ROOM * model.feature_extractor.sampling_rate)
    found = model.feature_extractor(samples, padding=room)[:, :FRAMES]
    return np.ascontiguousarray(found[:, : found.shape[1] // 2 * 2], dtype=np.float32)


def _language(model: Any, encoded: Any) -> str:
    if not model.model.is_multilingual:
        return "en"
    return str(model.model.detect_language(encoded)[0][0][0][2:-2])  # <|de|>


def _tokenizer(model: Any, task: str, language: str) -> Any:
    from faster_whisper.tokenizer import Tokenizer

    return Tokenizer(model.hf_tokenizer, model.model.is_multilingual, task=task, language=language)


def _before(tokenizer: Any, prompt: str | None) -> list[int]:
    """The tokens of a prompt and the sign before them."""
    return [tokenizer.sot_prev, *tokenizer.encode(f" {prompt}")[-CONTEXT:]] if prompt else []
