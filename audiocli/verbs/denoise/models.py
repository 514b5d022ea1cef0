"""The denoisers by name, and the families that denoise takes (stdlib only: read before torch is)."""

from ...models.spec import BUILT_IN_SOURCE, ModelSpec, ModelTable

RNNOISE = "audiocli.verbs.denoise.rnnoise:load"
SPECTRAL = "audiocli.verbs.denoise.spectral:load"
ENHANCER = "audiocli.verbs.denoise.own:load"
CONV_ENHANCER = "audiocli.verbs.denoise.own:load_conv"


def _denoiser(name: str, adapter: str, licence: str, sample_rate: int = 16_000) -> ModelSpec:
    return ModelSpec(name, "denoise", adapter, BUILT_IN_SOURCE, licence, sample_rate, 0.1)


_ROWS = (
    _denoiser("rnnoise", RNNOISE, "BSD-3-Clause", sample_rate=48_000),
    _denoiser("enhancer", ENHANCER, "Apache-2.0"),
    _denoiser("conv-enhancer", CONV_ENHANCER, "Apache-2.0"),
    _denoiser("spectral", SPECTRAL, "Apache-2.0"),
)
TABLES = (
    ModelTable(
        "denoise",
        _ROWS,
        built_in=("rnnoise",),
        families={"audiocli-enhancer": ENHANCER, "audiocli-conv-enhancer": CONV_ENHANCER},
    ),
)
