"""Voices for Bark out of a recording: the prompt that it goes on from, in its three kinds of tokens.

Coarse and fine tokens are EnCodec's codes of the recording. What makes the semantic ones was never published (suno-ai/bark, issue
250): here Bark's own text model says the words of the recording, and that is stretched to the time they took. So the prompt agrees
with the sound in what is said and only roughly in when, and the voice is less like the recording than a real preset's would be.
"""

import io
from pathlib import PurePath
from typing import Any

import numpy as np
import soundfile
import soxr
import torch
from numpy.typing import NDArray

from ...errors import InputError
from ...inputs.sources import Kept
from ...options import InputOptions, ModelOptions, TranscribeOptions
from ...voices.timbre import SAMPLE_RATE, Floats

Tokens = NDArray[np.int64]

LONGEST = 7.0  # s; of longer prompts the fine model hears no more, and the other two still less
CUT = 2.0  # s before the end of it, in which the quietest moment is the end
FRAME = 320  # samples, 20 ms
COARSE = 2  # of EnCodec's codebooks


def preset(model: Any, processor: Any, speech: Floats, seed: int) -> dict[str, Tokens]:
    """The arrays of a preset, semantic [s], coarse [2, t], fine [8, t], of speech [n] at SAMPLE_RATE. Raises InputError."""
    part = beginning(speech)
    fine = codes(model, part)
    spoken = semantic(model, processor, heard(part), seed)
    return {
        "semantic_prompt": stretched(spoken, round(len(part) / SAMPLE_RATE * _semantic(model).semantic_rate_hz)),
        "coarse_prompt": fine[:COARSE], "fine_prompt": fine,
    }  # fmt: skip


def beginning(speech: Floats) -> Floats:
    """Up to LONGEST seconds of speech [n], cut where it is quiet."""
    most = int(LONGEST * SAMPLE_RATE)
    if len(speech) <= most:
        return speech
    frames = speech[most - int(CUT * SAMPLE_RATE) : most].reshape(-1, FRAME)
    quiet = len(frames) - 1 - int(np.argmin(np.square(frames).sum(axis=1)[::-1]))
    return speech[: most - (len(frames) - quiet) * FRAME + FRAME // 2]


def codes(model: Any, speech: Floats) -> Tokens:
    """EnCodec's codes [8, t] of speech [n] at SAMPLE_RATE."""
    codec, settings = model.codec_model, model.generation_config.fine_acoustics_config
    samples = soxr.resample(speech, SAMPLE_RATE, codec.config.sampling_rate).astype(np.float32)
    given = torch.from_numpy(samples)[None, None].to(codec.device, codec.dtype)
    with torch.inference_mode():
        found = codec.encode(given, bandwidth=max(codec.config.target_bandwidths)).audio_codes
    books = int(settings["n_fine_codebooks"])
    return np.asarray(found[0, 0, :books].cpu().numpy(), np.int64)


def semantic(model: Any, processor: Any, text: str, seed: int) -> Tokens:
    """What Bark says for a text, [s]."""
    given, settings = processor(text).to(model.device), _semantic(model)
    torch.manual_seed(seed)
    with torch.inference_mode():
        tokens = model.semantic.generate(
            given["input_ids"], semantic_generation_config=settings, attention_mask=given["attention_mask"]
        )[0]
    return np.asarray(tokens[tokens < settings.semantic_vocab_size].cpu().numpy(), np.int64)


def _semantic(model: Any) -> Any:
    from transformers.models.bark.generation_configuration_bark import BarkSemanticGenerationConfig

    return BarkSemanticGenerationConfig(**model.generation_config.semantic_config)  # type: ignore[no-untyped-call]


def stretched(tokens: Tokens, size: int) -> Tokens:
    """Tokens [s] as so many, some said again or left out evenly. Raises InputError when there are none."""
    if not len(tokens):
        raise InputError("bark makes nothing of what the reference says: give another recording")
    return tokens[np.arange(size) * len(tokens) // size]


def heard(speech: Floats) -> str:
    """The words in speech [n], by the recogniser of transcribe. Raises InputError when there are none."""
    from ...models.load import load
    from ..transcribe import work as transcripts
    from ..transcribe.recogniser import Recogniser

    file = io.BytesIO()
    soundfile.write(file, speech, SAMPLE_RATE, format="WAV", subtype="FLOAT")
    recogniser = load(None, "transcribe", Recogniser, ModelOptions(offline=True), TranscribeOptions())
    work = transcripts.Work(recogniser, InputOptions(), {})
    text = work([work.read(Kept("reference", PurePath("reference"), file=file))])[0].text
    if not text:
        raise InputError("no words are understood in the reference, and bark needs them: give a clearer recording")
    return text
