"""The models that go by a short name: one row each (stdlib only: names are checked before torch is imported)."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ModelSpec:
    """A model by name.

    adapter: "module:function" of the function that builds its runner. source: "built-in", or a hub id org/name.
    """

    name: str
    task: str
    adapter: str
    source: str
    licence: str
    sample_rate: int  # Hz
    memory_gib: float
    revision: str | None = None
    sha256: str | None = None


MODELS = {
    spec.name: spec
    for spec in (
        ModelSpec(
            "pocketsphinx", "transcribe", "audiocli.models.asr_pocketsphinx:load", "built-in", "BSD-2-Clause", 16_000, 0.2
        ),
    )
}
