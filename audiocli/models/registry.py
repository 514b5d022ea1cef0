"""The models that go by a short name, and the families that a `config.json` names (stdlib only: read before torch is)."""

from dataclasses import dataclass
from difflib import get_close_matches
from importlib.util import find_spec
from pathlib import Path
from typing import Any

BUILT_IN_SOURCE = "built-in"
WEIGHTS = Path(__file__).parent.parent / "weights"
WHISPER = "audiocli.models.asr_whisper:load"
MOONSHINE = "audiocli.models.asr_moonshine:load"
CTC = "audiocli.models.asr_ctc:load"
POCKETSPHINX = "audiocli.models.asr_pocketsphinx:load"
FASTER = "audiocli.models.asr_faster:load"
EXTRAS = {FASTER: ("faster_whisper", "fast")}  # adapters that need a package of an extra

VERBS = ("transcribe", "classify", "denoise", "verify", "diarize", "speak", "clone", "generate-music")
BUILT_IN = {"transcribe": "pocketsphinx"}  # what a verb takes when nobody has said anything else


@dataclass(frozen=True)
class ModelSpec:
    """A model by name.

    adapter: "module:function" of the function that builds its runner. source: "built-in", a hub id org/name, or a folder.
    revision: a branch, tag or commit of the hub; once loaded, the commit. sha256: of its one file of weights.
    """

    name: str
    task: str
    adapter: str
    source: str
    licence: str
    sample_rate: int  # Hz
    memory_gib: float  # in float32 on one clip at a time, about
    revision: str | None = None
    sha256: str | None = None
    half: str = "float16"  # the 16-bit type that it bears
    files: tuple[str, ...] = ()  # patterns of what to fetch, where hub.chosen() would choose wrongly

    @property
    def built_in(self) -> bool:
        """Whether it came with a package: nothing to fetch."""
        return self.source == BUILT_IN_SOURCE

    @property
    def weights(self) -> Path | None:
        """The folder of a built-in net of our own, as `audiocli train` wrote it; None: another package has the weights."""
        folder = WEIGHTS / self.name
        return folder if self.built_in and folder.is_dir() else None


def _asr(name: str, adapter: str, source: str, licence: str, memory_gib: float, **more: Any) -> ModelSpec:
    return ModelSpec(name, "transcribe", adapter, source, licence, 16_000, memory_gib, **more)


# Memory: four bytes a weight, and a fifth for the work. Licences: as the cards on the hub have them.
_ROWS = (
    _asr("pocketsphinx", POCKETSPHINX, BUILT_IN_SOURCE, "BSD-2-Clause", 0.2),
    *(
        _asr(f"whisper-{size}{end}", WHISPER, f"openai/whisper-{size}{end}", "Apache-2.0", memory)
        for size, memory in (("tiny", 0.2), ("base", 0.4), ("small", 1.1), ("medium", 3.5))
        for end in ("", ".en")
    ),
    _asr("whisper-large-v2", WHISPER, "openai/whisper-large-v2", "Apache-2.0", 7.0),
    _asr("whisper-large-v3", WHISPER, "openai/whisper-large-v3", "Apache-2.0", 7.0),
    _asr("whisper-large-v3-turbo", WHISPER, "openai/whisper-large-v3-turbo", "MIT", 3.7),
    _asr("distil-large-v3.5", WHISPER, "distil-whisper/distil-large-v3.5", "MIT", 3.5),
    *(
        _asr(f"faster-whisper-{size}{end}", FASTER, f"Systran/faster-whisper-{size}{end}", "MIT", memory)
        for size, memory in (("tiny", 0.2), ("base", 0.4), ("small", 1.1), ("medium", 3.5))
        for end in ("", ".en")
    ),
    _asr("faster-whisper-large-v3", FASTER, "Systran/faster-whisper-large-v3", "MIT", 7.0),
    _asr("faster-whisper-large-v3-turbo", FASTER, "mobiuslabsgmbh/faster-whisper-large-v3-turbo", "MIT", 3.7),
    _asr("faster-distil-large-v3.5", FASTER, "distil-whisper/distil-large-v3.5-ct2", "MIT", 3.5),
    _asr("moonshine-tiny", MOONSHINE, "UsefulSensors/moonshine-tiny", "MIT", 0.2),
    _asr("moonshine-base", MOONSHINE, "UsefulSensors/moonshine-base", "MIT", 0.3),
    _asr("wav2vec2-base-960h", CTC, "facebook/wav2vec2-base-960h", "Apache-2.0", 0.5),
    _asr("wav2vec2-large-960h-lv60-self", CTC, "facebook/wav2vec2-large-960h-lv60-self", "Apache-2.0", 1.5),
    _asr("hubert-large-ls960-ft", CTC, "facebook/hubert-large-ls960-ft", "Apache-2.0", 1.5),
    _asr("mms-1b-all", CTC, "facebook/mms-1b-all", "CC-BY-NC-4.0", 4.3),
    _asr("parakeet-ctc-0.6b", CTC, "nvidia/parakeet-ctc-0.6b", "CC-BY-4.0", 2.7, half="bfloat16"),
    _asr("parakeet-ctc-1.1b", CTC, "nvidia/parakeet-ctc-1.1b", "CC-BY-4.0", 4.8, half="bfloat16"),
)
MODELS = {spec.name: spec for spec in _ROWS}

ALIASES = {
    "turbo": "whisper-large-v3-turbo",
    "whisper-turbo": "whisper-large-v3-turbo",
    "whisper-large": "whisper-large-v3",
    "distil-whisper-large-v3.5": "distil-large-v3.5",
}

# `model_type` of a config.json: encoders that carry the head which `architectures` names ...
_ENCODERS = (
    "wav2vec2", "wav2vec2-conformer", "hubert", "wavlm", "unispeech", "unispeech-sat", "sew", "sew-d",
    "data2vec-audio", "wav2vec2-bert",
)  # fmt: skip
_HEADS = {
    "ForCTC": "transcribe",
    "ForSequenceClassification": "classify",
    "ForXVector": "verify",
    "ForAudioFrameClassification": "diarize",
}
# ... and the ones that do one thing.
FAMILIES = {
    "whisper": ("transcribe", WHISPER),
    "moonshine": ("transcribe", MOONSHINE),
    "parakeet_ctc": ("transcribe", CTC),
    "lasr_ctc": ("transcribe", CTC),
    **dict.fromkeys(_ENCODERS, ("transcribe", CTC)),
    "audio-spectrogram-transformer": ("classify", ""),
    "speecht5": ("speak", ""),
    "vits": ("speak", ""),
    "bark": ("speak", ""),
    "musicgen": ("generate-music", ""),
}


_CTRANSLATE2 = {"suppress_ids", "lang_ids"}  # what ctranslate2 writes for a Whisper that it has converted


def family(config: dict[str, Any]) -> tuple[str, str] | None:
    """The verb and the adapter for a parsed `config.json`; no adapter: "", no verb known: None."""
    kind, architectures = config.get("model_type"), config.get("architectures") or ()
    if kind is None and config.keys() >= _CTRANSLATE2:
        return "transcribe", FASTER
    if kind not in FAMILIES:
        return None
    if kind not in _ENCODERS or not architectures:
        return FAMILIES[kind]
    tasks = [task for end, task in _HEADS.items() for name in architectures if str(name).endswith(end)]
    if not tasks:
        return None  # an encoder as it comes from pretraining
    return (tasks[0], CTC if tasks[0] == "transcribe" else "")


def missing(adapter: str) -> str | None:
    """The extra that must be installed before an adapter can work; None: all is there."""
    package, extra = EXTRAS.get(adapter, ("", ""))
    return extra if package and find_spec(package) is None else None


def by_name(name: str) -> ModelSpec | None:
    """The row of a short name or an alias."""
    return MODELS.get(ALIASES.get(name, name))


def by_source(source: str) -> ModelSpec | None:
    """The row of a hub id."""
    return next((spec for spec in MODELS.values() if spec.source.lower() == source.lower()), None)


def near(name: str) -> list[str]:
    """Names that someone who wrote `name` may have meant, the nearest first."""
    known = {candidate.lower(): candidate for candidate in (*MODELS, *ALIASES)}
    found = get_close_matches(name.lower(), known, n=3, cutoff=0.5)
    found += [candidate for candidate in known if name.lower() in candidate and candidate not in found]
    return [known[candidate] for candidate in found[:4]]
