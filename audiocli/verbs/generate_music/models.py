"""The composers by name, and the families that generate-music takes (stdlib only: read before torch is)."""

from ...models.spec import BUILT_IN_SOURCE, ModelSpec, ModelTable

CHORALE = "audiocli.verbs.generate_music.chorale:load"
MUSICGEN = "audiocli.verbs.generate_music.musicgen:load"


def _music(name: str, adapter: str, source: str, licence: str, memory_gib: float, sample_rate: int) -> ModelSpec:
    return ModelSpec(name, "generate-music", adapter, source, licence, sample_rate, memory_gib)


# Memory: four bytes a weight, and a fifth for the work. Licences: as the cards on the hub have them.
_ROWS = (
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
TABLES = (
    ModelTable(
        "generate-music",
        _ROWS,
        built_in=("chorale-transformer",),
        families={"musicgen": MUSICGEN, "musicgen_melody": MUSICGEN, "audiocli-music": CHORALE},
    ),
)
