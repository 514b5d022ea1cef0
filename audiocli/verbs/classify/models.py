"""The classifiers of sounds by name, and the families that classify takes (stdlib only: read before torch is)."""

from ...models.spec import BUILT_IN_SOURCE, ModelSpec, ModelTable

SOUNDS = "audiocli.verbs.classify.own:load"
SOUNDS_BY_NAME = "audiocli.verbs.classify.transformers:load"
ZERO_SHOT = "audiocli.verbs.classify.transformers:load_zero_shot"


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


# Memory: four bytes a weight, and a fifth for the work. Licences: as the cards on the hub have them.
_ROWS = (
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
        families={
            "audiocli-classifier": SOUNDS,
            "audio-spectrogram-transformer": SOUNDS_BY_NAME,
            "clap": ZERO_SHOT,
        },
        heads={"ForSequenceClassification": SOUNDS_BY_NAME, "ForAudioClassification": SOUNDS_BY_NAME},
    ),
)
