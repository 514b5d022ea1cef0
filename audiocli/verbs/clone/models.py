"""The voice converters by name, and the families that clone takes (stdlib only: read before torch is)."""

from ...models.spec import BUILT_IN_SOURCE, ModelSpec, ModelTable

ENVELOPE = "audiocli.verbs.clone.envelope:load"
WORLD = "audiocli.verbs.clone.world:load"
SPEECHT5_VC = "audiocli.verbs.clone.speecht5:load"
KNN = "audiocli.verbs.clone.knn:load"

# Memory: four bytes a weight, and a fifth for the work. Licences: as the cards on the hub have them.
_ROWS = (
    ModelSpec("cepstral-envelope", "clone", ENVELOPE, BUILT_IN_SOURCE, "Apache-2.0", 16_000, 0.1),
    ModelSpec("world", "clone", WORLD, BUILT_IN_SOURCE, "MIT (pyworld, an extra)", 16_000, 0.1),
    ModelSpec(
        "speecht5-vc", "clone", SPEECHT5_VC, "microsoft/speecht5_vc", "MIT", 16_000, 0.8, vocoder="speecht5-hifigan"
    ),
    # The hub has no vocoder for it in a safe form: --vocoder takes the file that its authors publish.
    ModelSpec("knn-vc", "clone", KNN, "microsoft/wavlm-large", "CC-BY-SA-3.0 (WavLM), MIT (vocoder)", 16_000, 1.5),
)
TABLES = (
    ModelTable(
        "clone",
        _ROWS,
        built_in=("cepstral-envelope",),
        heads={"ForSpeechToSpeech": SPEECHT5_VC, "WavLMModel": KNN},
        extras={WORLD: ("pyworld", "world")},
    ),
)
