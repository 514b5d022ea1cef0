"""The diarizers by name, and the folders that diarize takes (stdlib only: read before torch is)."""

from ...models.spec import BUILT_IN_SOURCE, PIPELINE_FILE, ModelSpec, ModelTable

CLUSTERS = "audiocli.verbs.diarize.clustering:load"
PIPELINE = "audiocli.verbs.diarize.pyannote:load"

_ROWS = (
    ModelSpec(
        "siamese-clusters", "diarize", CLUSTERS, BUILT_IN_SOURCE, "CC-BY-4.0", 16_000, 0.2, stands_on="siamese-speakers"
    ),
    ModelSpec(
        "pyannote-community-1",
        "diarize",
        PIPELINE,
        "pyannote/speaker-diarization-community-1",
        "CC-BY-4.0",
        16_000,
        0.1,
        files=(PIPELINE_FILE, "*/pytorch_model.bin", "plda/*.npz"),
    ),
    ModelSpec(
        "pyannote-3.1",
        "diarize",
        PIPELINE,
        "pyannote/speaker-diarization-3.1",
        "MIT",
        16_000,
        0.1,
        files=(PIPELINE_FILE,),
        parts=("pyannote/segmentation-3.0", "pyannote/wespeaker-voxceleb-resnet34-LM"),
    ),
)
TABLES = (
    ModelTable(
        "diarize",
        _ROWS,
        built_in=("siamese-clusters",),
        heads={"ForAudioFrameClassification": ""},
        marks={PIPELINE_FILE: PIPELINE},
    ),
)
