"""The diarizers by name, and the folders that diarize takes (stdlib only: read before torch is)."""

from ...models.spec import BUILT_IN_SOURCE, INDEX_SOURCE, PIPELINE_FILE, Carrier, ModelSpec, ModelTable, Packed, Wheel

CLUSTERS = "audiocli.verbs.diarize.clustering:load"
PIPELINE = "audiocli.verbs.diarize.pyannote:load"
SEGMENTATION = "audiocli.verbs.diarize.segmentation:around_published"
SEGMENTATION_OWN = "audiocli.verbs.diarize.segmentation:around_own"  # of `audiocli train segmentation`
BANDS_KIND, SINC_KIND = "audiocli-segmenter", "audiocli-sinc-segmenter"  # that it makes
SEGMENTATION_FILE = "segmentation.bin"  # marks a folder of it; in the package it has a name that says nothing

_SEGMENTATION = ModelSpec(
    "pyannote-segmentation", "diarize", SEGMENTATION, INDEX_SOURCE, "MIT", 16_000, 0.2, author="Hervé Bredin",
    carriers=(
        Carrier(
            "whisperX",
            (Wheel("whisperx", "3.8.6", 16_486_941, "cb6d4fcd3fb6c42305cb8b222a33a0b78f6b657e9db3b714345fe43dc0a69c1f"),),
            (
                Packed(
                    SEGMENTATION_FILE, 17_719_103, "0b5b3216d60a2d32fc086b47ea8c67589aaeb26b7e07fcbe620d6d0b83e209ea",
                    (("whisperx", "whisperx/assets/pytorch_model.bin"),),
                ),
            ),
        ),
    ),
)  # fmt: skip
_ROWS = (
    ModelSpec("sinc-segmenter", "diarize", SEGMENTATION_OWN, BUILT_IN_SOURCE, "MIT and CC-BY-4.0", 16_000, 0.3),
    _SEGMENTATION,
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
        built_in=("sinc-segmenter", "siamese-clusters"),
        families={BANDS_KIND: SEGMENTATION_OWN, SINC_KIND: SEGMENTATION_OWN},
        heads={"ForAudioFrameClassification": ""},
        marks={PIPELINE_FILE: PIPELINE, SEGMENTATION_FILE: SEGMENTATION},
    ),
)
