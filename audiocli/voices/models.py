"""The encoders of voices by name, and the families that verify takes (stdlib only: read before torch is)."""

from ..models.spec import (
    BUILT_IN_SOURCE,
    EMBEDDING_FILE,
    INDEX_SOURCE,
    PIPELINE_FILE,
    SPEECHBRAIN_FILE,
    ModelSpec,
    ModelTable,
    Wheel,
    carrier,
)

SIAMESE = "audiocli.voices.siamese:load"
XVECTOR = "audiocli.voices.transformers:load"
PYANNOTE = "audiocli.voices.pyannote:load"
SPEECHBRAIN = "audiocli.voices.speechbrain:load"
GE2E = "audiocli.voices.ge2e:load"
GE2E_FILE = "pretrained.pt"  # marks a folder of it


def _speakers(
    name: str, adapter: str, source: str, licence: str, memory_gib: float, *, files: tuple[str, ...] = ()
) -> ModelSpec:
    return ModelSpec(name, "verify", adapter, source, licence, 16_000, memory_gib, files=files)


_GE2E = ModelSpec(
    "ge2e", "verify", GE2E, INDEX_SOURCE, "Apache-2.0", 16_000, 0.1, author="Corentin Jemine (Resemble AI)",
    carriers=(
        carrier(
            "Resemble AI",
            Wheel("resemblyzer", "0.1.4", 15_747_704, "8f12eb2f1a9982d32e8db7856de754709b59c93a77bcf0ff536584b619a9dd1f"),
            (f"resemblyzer/{GE2E_FILE}", 17_090_379, "39373b86598fa3da9fcddee6142382efe09777e8d37dc9c0561f41f0070f134e"),
        ),
    ),
)  # fmt: skip


# Memory: four bytes a weight, and a fifth for the work. Licences: as the cards on the hub have them.
_ROWS = (
    _GE2E,
    _speakers("siamese-speakers", SIAMESE, BUILT_IN_SOURCE, "CC-BY-4.0", 0.1),
    _speakers("wavlm-base-plus-sv", XVECTOR, "microsoft/wavlm-base-plus-sv", "CC-BY-SA-3.0", 0.6),
    _speakers("wav2vec2-base-superb-sv", XVECTOR, "anton-l/wav2vec2-base-superb-sv", "Apache-2.0", 0.6),
    _speakers("unispeech-sat-base-plus-sv", XVECTOR, "microsoft/unispeech-sat-base-plus-sv", "CC-BY-SA-3.0", 0.6),
    _speakers(
        "wespeaker-resnet34",
        PYANNOTE,
        "pyannote/wespeaker-voxceleb-resnet34-LM",
        "CC-BY-4.0",
        0.1,
        files=(EMBEDDING_FILE, PIPELINE_FILE),
    ),
    _speakers("ecapa", SPEECHBRAIN, "speechbrain/spkrec-ecapa-voxceleb", "Apache-2.0", 0.1, files=(SPEECHBRAIN_FILE,)),
    # What SpeechT5 was trained with: clone --speaker-model.
    _speakers(
        "speechbrain-xvector",
        SPEECHBRAIN,
        "speechbrain/spkrec-xvect-voxceleb",
        "Apache-2.0",
        0.1,
        files=(SPEECHBRAIN_FILE,),
    ),
)
TABLES = (
    ModelTable(
        "verify",
        _ROWS,
        built_in=("siamese-speakers",),
        recommended=("ge2e",),
        families={"audiocli-siamese": SIAMESE},
        heads={"ForXVector": XVECTOR},
        marks={SPEECHBRAIN_FILE: SPEECHBRAIN, EMBEDDING_FILE: PYANNOTE, GE2E_FILE: GE2E},
        libraries={GE2E: "processor"},
        extras={SPEECHBRAIN: ("speechbrain", "speechbrain")},
    ),
)
