"""The recognisers by name, and the families that transcribe takes (stdlib only: read before torch is)."""

from ...models.spec import BUILT_IN_SOURCE, ModelSpec, ModelTable

WHISPER = "audiocli.verbs.transcribe.whisper.engine:load"
MOONSHINE = "audiocli.verbs.transcribe.moonshine:load"
CTC = "audiocli.verbs.transcribe.ctc:load"
POCKETSPHINX = "audiocli.verbs.transcribe.pocketsphinx:load"
FASTER = "audiocli.verbs.transcribe.faster:load"

_ENCODERS = (
    "wav2vec2", "wav2vec2-conformer", "hubert", "wavlm", "unispeech", "unispeech-sat", "sew", "sew-d",
    "data2vec-audio", "wav2vec2-bert",
)  # fmt: skip


def _asr(name: str, adapter: str, source: str, licence: str, memory_gib: float, half: str = "float16") -> ModelSpec:
    return ModelSpec(name, "transcribe", adapter, source, licence, 16_000, memory_gib, half=half)


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
TABLES = (
    ModelTable(
        "transcribe",
        _ROWS,
        built_in=("pocketsphinx",),
        aliases={
            "turbo": "whisper-large-v3-turbo",
            "whisper-turbo": "whisper-large-v3-turbo",
            "whisper-large": "whisper-large-v3",
            "distil-whisper-large-v3.5": "distil-large-v3.5",
        },
        families={"moonshine": MOONSHINE, "parakeet_ctc": CTC, "lasr_ctc": CTC},
        encoders={**dict.fromkeys(_ENCODERS, CTC), "whisper": WHISPER},
        heads={"ForCTC": CTC, "WhisperForConditionalGeneration": WHISPER, "ForSpeechToText": ""},
        keys={
            frozenset({"suppress_ids", "lang_ids"}): FASTER
        },  # what ctranslate2 writes for a Whisper that it has converted
        extras={FASTER: ("faster_whisper", "fast")},
    ),
)
