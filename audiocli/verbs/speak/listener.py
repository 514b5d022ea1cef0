"""The words of a reference, by the recogniser of transcribe: for a model that goes on from what is said in it."""

import io
from pathlib import PurePath

import soundfile

from ...errors import InputError
from ...inputs.sources import Kept
from ...models.load import load
from ...options import InputOptions, ModelOptions, TranscribeOptions
from ...voices.timbre import SAMPLE_RATE, Floats
from ..transcribe.recogniser import Recogniser
from ..transcribe.work import Work


def words_of(speech: Floats) -> str:
    """The words in speech [n] at SAMPLE_RATE. Raises InputError when there are none."""
    file = io.BytesIO()
    soundfile.write(file, speech, SAMPLE_RATE, format="WAV", subtype="FLOAT")
    recogniser = load(None, "transcribe", Recogniser, ModelOptions(offline=True), TranscribeOptions())
    work = Work(recogniser, InputOptions(), {})
    text = work([work.read(Kept("reference", PurePath("reference"), file=file))])[0].text
    if not text:
        raise InputError("no words are understood in the reference, and bark needs them: give a clearer recording")
    return text
