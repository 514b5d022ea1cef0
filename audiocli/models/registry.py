"""The models that go by a short name, and the families that a `config.json` names (stdlib only: read before torch is)."""

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

BUILT_IN_SOURCE = "built-in"
WEIGHTS = Path(__file__).parent.parent / "weights"
WHISPER = "audiocli.verbs.transcribe.whisper.engine:load"
MOONSHINE = "audiocli.verbs.transcribe.moonshine:load"
CTC = "audiocli.verbs.transcribe.ctc:load"
POCKETSPHINX = "audiocli.verbs.transcribe.pocketsphinx:load"
CLUSTERS = "audiocli.verbs.diarize.clustering:load"
PIPELINE = "audiocli.verbs.diarize.pyannote:load"
ESPEAK = "audiocli.verbs.speak.espeak:load"
FLITE = "audiocli.verbs.speak.flite:load"
SPEECHT5 = "audiocli.verbs.speak.speecht5:load"
VITS = "audiocli.verbs.speak.vits:load"
BARK = "audiocli.verbs.speak.bark:load"
TACOTRON2 = "audiocli.verbs.speak.tacotron2:load"
FASTSPEECH2 = "audiocli.verbs.speak.fastspeech2:load"
HIFIGAN = "audiocli.verbs.speak.vocoders:hifigan"
ENVELOPE = "audiocli.verbs.clone.envelope:load"
WORLD = "audiocli.verbs.clone.world:load"
SPEECHT5_VC = "audiocli.verbs.clone.speecht5:load"
KNN = "audiocli.verbs.clone.knn:load"
IMITATORS = (SPEECHT5, BARK)  # synthesisers that take a voice from a file of audiocli clone
# Vocoders without a row: no weights, and inside the folder of a Tacotron 2.
GRIFFIN_LIM, WAVERNN = "griffin-lim", "wavernn"
SIAMESE = "audiocli.voices.siamese:load"
XVECTOR = "audiocli.voices.transformers:load"
PYANNOTE = "audiocli.voices.pyannote:load"
SPEECHBRAIN, SPEECHBRAIN_FILE = "audiocli.voices.speechbrain:load", "embedding_model.ckpt"
SOUNDS = "audiocli.verbs.classify.own:load"
SOUNDS_BY_NAME = "audiocli.verbs.classify.transformers:load"
ENHANCER = "audiocli.verbs.denoise.own:load"
CONV_ENHANCER = "audiocli.verbs.denoise.own:load_conv"
ZERO_SHOT = "audiocli.verbs.classify.transformers:load_zero_shot"
CHORALE = "audiocli.verbs.generate_music.chorale:load"
MUSICGEN = "audiocli.verbs.generate_music.musicgen:load"
FASTER = "audiocli.verbs.transcribe.faster:load"
EXTRAS = {
    FASTER: ("faster_whisper", "fast"),
    SPEECHBRAIN: ("speechbrain", "speechbrain"),
}  # adapters that need a package of an extra

VERBS = ("transcribe", "classify", "denoise", "verify", "diarize", "speak", "clone", "generate-music")
BUILT_IN = {
    "transcribe": ("pocketsphinx",),
    "classify": ("everyday-sounds",),
    "denoise": ("rnnoise",),
    "verify": ("siamese-speakers",),
    "diarize": ("siamese-clusters",),
    "speak": ("flite", "espeak-ng"),  # the former is clearer, and speaks English only
    "clone": ("cepstral-envelope",),
    "generate-music": ("chorale-transformer",),
}  # what a verb takes when nobody has said anything else: the first that is on this machine, where the last always is


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
    parts: tuple[str, ...] = ()  # other repositories of the hub that it loads
    stands_on: str | None = None  # another built-in net, whose weights it uses
    vocoder: str | None = None  # the row of what makes samples of its spectrograms, unless it does so itself
    program: str | None = None  # on the PATH, which does the work

    @property
    def built_in(self) -> bool:
        """Whether it came with a package: nothing to fetch."""
        return self.source == BUILT_IN_SOURCE

    @property
    def weights(self) -> Path | None:
        """The folder of a built-in net of our own, as `audiocli train` wrote it; None: another package has the weights."""
        folder = WEIGHTS / (self.stands_on or self.name)
        return folder if self.built_in and folder.is_dir() else None


def _asr(name: str, adapter: str, source: str, licence: str, memory_gib: float, **more: Any) -> ModelSpec:
    return ModelSpec(name, "transcribe", adapter, source, licence, 16_000, memory_gib, **more)


def _tts(name: str, adapter: str, source: str, licence: str, rate: int, memory_gib: float, **more: Any) -> ModelSpec:
    return ModelSpec(name, "speak", adapter, source, licence, rate, memory_gib, **more)


# ISO 639-3 codes of a few of the 1,100 languages of MMS; the others go by facebook/mms-tts-CODE.
_BARK_FILES = (
    "*.json", "*.txt", "*.safetensors", "pytorch_model.bin", "speaker_embeddings/*.npy", "speaker_embeddings/v2/*.npy",
)  # fmt: skip
_MMS = ("eng", "deu", "fra", "spa", "por", "rus", "nld", "pol", "tur", "hin", "ara", "kor")


def _sounds(
    name: str, source: str, licence: str, memory_gib: float, sample_rate: int = 16_000, **more: Any
) -> ModelSpec:
    return ModelSpec(
        name, "classify", more.pop("adapter", SOUNDS_BY_NAME), source, licence, sample_rate, memory_gib, **more
    )


def _denoiser(name: str, adapter: str, licence: str, sample_rate: int = 16_000) -> ModelSpec:
    return ModelSpec(name, "denoise", adapter, BUILT_IN_SOURCE, licence, sample_rate, 0.1)


def _speakers(name: str, adapter: str, source: str, licence: str, memory_gib: float, **more: Any) -> ModelSpec:
    return ModelSpec(name, "verify", adapter, source, licence, 16_000, memory_gib, **more)


def _music(name: str, adapter: str, source: str, licence: str, memory_gib: float, sample_rate: int) -> ModelSpec:
    return ModelSpec(name, "generate-music", adapter, source, licence, sample_rate, memory_gib)


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
    # The library is called from this process: whoever hands both on together must heed the GPL.
    _tts("espeak-ng", ESPEAK, BUILT_IN_SOURCE, "GPL-3.0-or-later (the library)", 22_050, 0.1),
    _tts("flite", FLITE, BUILT_IN_SOURCE, "BSD-like (a program of its own)", 16_000, 0.1, program="flite"),
    _tts("speecht5", SPEECHT5, "microsoft/speecht5_tts", "MIT", 16_000, 0.8, vocoder="speecht5-hifigan"),
    *(_tts(f"mms-tts-{code}", VITS, f"facebook/mms-tts-{code}", "CC-BY-NC-4.0", 16_000, 0.2) for code in _MMS),
    _tts("vits-ljs", VITS, "kakao-enterprise/vits-ljs", "MIT", 22_050, 0.2),
    _tts("vits-vctk", VITS, "kakao-enterprise/vits-vctk", "MIT", 22_050, 0.2),
    _tts("bark", BARK, "suno/bark", "MIT", 24_000, 5.0, files=_BARK_FILES),
    _tts("bark-small", BARK, "suno/bark-small", "MIT", 24_000, 2.0, files=_BARK_FILES),
    _tts("fastspeech2", FASTSPEECH2, "espnet/fastspeech2_conformer_with_hifigan", "Apache-2.0", 22_050, 0.4),
    ModelSpec("cepstral-envelope", "clone", ENVELOPE, BUILT_IN_SOURCE, "Apache-2.0", 16_000, 0.1),
    ModelSpec("world", "clone", WORLD, BUILT_IN_SOURCE, "MIT (pyworld, an extra)", 16_000, 0.1),
    ModelSpec(
        "speecht5-vc", "clone", SPEECHT5_VC, "microsoft/speecht5_vc", "MIT", 16_000, 0.8, vocoder="speecht5-hifigan"
    ),
    # The hub has no vocoder for it in a safe form: --vocoder takes the file that its authors publish.
    ModelSpec("knn-vc", "clone", KNN, "microsoft/wavlm-large", "CC-BY-SA-3.0 (WavLM), MIT (vocoder)", 16_000, 1.5),
    ModelSpec("speecht5-hifigan", "vocoder", HIFIGAN, "microsoft/speecht5_hifigan", "MIT", 16_000, 0.1),
    _sounds("everyday-sounds", BUILT_IN_SOURCE, "Apache-2.0", 0.1, 32_000, adapter=SOUNDS),
    _sounds("ast-audioset", "MIT/ast-finetuned-audioset-10-10-0.4593", "BSD-3-Clause", 0.5),
    _sounds("ast-speech-commands", "MIT/ast-finetuned-speech-commands-v2", "BSD-3-Clause", 0.5),
    _sounds("music-genres", "dima806/music_genres_classification", "Apache-2.0", 0.5),
    _sounds("wav2vec2-emotions", "superb/wav2vec2-base-superb-er", "Apache-2.0", 0.5),
    _sounds("clap", "laion/clap-htsat-unfused", "Apache-2.0", 0.8, 48_000, adapter=ZERO_SHOT),
    _sounds("clap-large", "laion/larger_clap_general", "Apache-2.0", 1.0, 48_000, adapter=ZERO_SHOT),
    _denoiser("rnnoise", "audiocli.verbs.denoise.rnnoise:load", "BSD-3-Clause", sample_rate=48_000),
    _denoiser("enhancer", ENHANCER, "Apache-2.0"),
    _denoiser("conv-enhancer", CONV_ENHANCER, "Apache-2.0"),
    _denoiser("spectral", "audiocli.verbs.denoise.spectral:load", "Apache-2.0"),
    _speakers("siamese-speakers", SIAMESE, BUILT_IN_SOURCE, "CC-BY-4.0", 0.1),
    _speakers("wavlm-base-plus-sv", XVECTOR, "microsoft/wavlm-base-plus-sv", "CC-BY-SA-3.0", 0.6),
    _speakers("wav2vec2-base-superb-sv", XVECTOR, "anton-l/wav2vec2-base-superb-sv", "Apache-2.0", 0.6),
    _speakers("unispeech-sat-base-plus-sv", XVECTOR, "microsoft/unispeech-sat-base-plus-sv", "CC-BY-SA-3.0", 0.6),
    _speakers(
        "wespeaker-resnet34",
        PYANNOTE,
        "pyannote/wespeaker-voxceleb-resnet34-LM",
        "CC-BY-4.0",
        0.1,
        files=("pytorch_model.bin", "config.yaml"),
    ),
    _speakers("ecapa", SPEECHBRAIN, "speechbrain/spkrec-ecapa-voxceleb", "Apache-2.0", 0.1, files=(SPEECHBRAIN_FILE,)),
    # What SpeechT5 was trained with: clone --speaker-model.
    _speakers(
        "speechbrain-xvector",
        SPEECHBRAIN,
        "speechbrain/spkrec-xvect-voxceleb",
        "Apache-2.0",
        0.1,
        files=(SPEECHBRAIN_FILE,),
    ),
    ModelSpec(
        "siamese-clusters", "diarize", CLUSTERS, BUILT_IN_SOURCE, "CC-BY-4.0", 16_000, 0.2, stands_on="siamese-speakers"
    ),
    ModelSpec(
        "pyannote-community-1",
        "diarize",
        PIPELINE,
        "pyannote/speaker-diarization-community-1",
        "CC-BY-4.0",
        16_000,
        0.1,
        files=("config.yaml", "*/pytorch_model.bin", "plda/*.npz"),
    ),
    ModelSpec(
        "pyannote-3.1",
        "diarize",
        PIPELINE,
        "pyannote/speaker-diarization-3.1",
        "MIT",
        16_000,
        0.1,
        files=("config.yaml",),
        parts=("pyannote/segmentation-3.0", "pyannote/wespeaker-voxceleb-resnet34-LM"),
    ),
    _music("chorale-transformer", CHORALE, BUILT_IN_SOURCE, "Apache-2.0", 0.1, 44_100),
    _music("chorale-lstm", CHORALE, BUILT_IN_SOURCE, "Apache-2.0", 0.1, 44_100),
    *(
        _music(f"musicgen-{size}", MUSICGEN, f"facebook/musicgen-{size}", "CC-BY-NC-4.0", memory, 32_000)
        for size, memory in (
            ("small", 2.9),
            ("medium", 9.6),
            ("large", 16.0),
            ("melody", 9.6),
            ("stereo-small", 2.9),
            ("stereo-medium", 9.6),
            ("stereo-large", 16.0),
            ("stereo-melody", 9.6),
        )
    ),
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
    "data2vec-audio", "whisper", "wav2vec2-bert", "speecht5",
)  # fmt: skip
_HEADS = {
    "ForCTC": ("transcribe", CTC),
    "WhisperForConditionalGeneration": ("transcribe", WHISPER),
    "ForSequenceClassification": ("classify", SOUNDS_BY_NAME),
    "ForAudioClassification": ("classify", SOUNDS_BY_NAME),
    "ForXVector": ("verify", XVECTOR),
    "ForTextToSpeech": ("speak", SPEECHT5),
    "ForSpeechToSpeech": ("clone", SPEECHT5_VC),
    "ForSpeechToText": ("transcribe", ""),
    "WavLMModel": ("clone", KNN),
    "ForAudioFrameClassification": ("diarize", ""),
}
# ... and the ones that do one thing.
FAMILIES = {
    "audiocli-classifier": ("classify", SOUNDS),
    "audiocli-enhancer": ("denoise", ENHANCER),
    "audiocli-conv-enhancer": ("denoise", CONV_ENHANCER),
    "moonshine": ("transcribe", MOONSHINE),
    "parakeet_ctc": ("transcribe", CTC),
    "lasr_ctc": ("transcribe", CTC),
    **dict.fromkeys(_ENCODERS, ("transcribe", CTC)),
    "whisper": ("transcribe", WHISPER),
    "speecht5": ("speak", SPEECHT5),
    "vits": ("speak", VITS),
    "bark": ("speak", BARK),
    "fastspeech2_conformer": ("speak", FASTSPEECH2),
    "fastspeech2_conformer_with_hifigan": ("speak", FASTSPEECH2),
    "tacotron2": ("speak", TACOTRON2),
    "hifigan": ("vocoder", HIFIGAN),
    "fastspeech2_conformer_hifigan": ("vocoder", HIFIGAN),
    "audio-spectrogram-transformer": ("classify", SOUNDS_BY_NAME),
    "clap": ("classify", ZERO_SHOT),
    "audiocli-siamese": ("verify", SIAMESE),
    "musicgen": ("generate-music", MUSICGEN),
    "musicgen_melody": ("generate-music", MUSICGEN),
    "audiocli-music": ("generate-music", CHORALE),
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
    found = [head for end, head in _HEADS.items() for name in architectures if str(name).endswith(end)]
    return found[0] if found else None  # an encoder as it comes from pretraining


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
