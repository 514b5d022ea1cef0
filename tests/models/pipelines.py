"""A pyannote pipeline folder as its users have it, with small nets of random weights."""

import torch

SPECIFICATIONS = {"classes": ["speaker#1", "speaker#2", "speaker#3"], "powerset_max_classes": 2}


def save(model, path):
    """A checkpoint as Lightning writes it."""
    import lightning

    checkpoint = {
        "epoch": 0, "global_step": 0, "pytorch-lightning_version": lightning.__version__,
        "state_dict": model.state_dict(), "hyper_parameters": dict(model.hparams),
    }  # fmt: skip
    model.on_save_checkpoint(checkpoint)
    path.parent.mkdir(parents=True)
    torch.save(checkpoint, path)


def segmentation():
    from pyannote.audio.core.task import Problem, Resolution, Specifications
    from pyannote.audio.models.segmentation import PyanNet

    model = PyanNet(lstm={"hidden_size": 8, "num_layers": 1}, linear={"hidden_size": 8, "num_layers": 1})
    model.specifications = Specifications(
        problem=Problem.MONO_LABEL_CLASSIFICATION, resolution=Resolution.FRAME, duration=5.0, permutation_invariant=True,
        **SPECIFICATIONS,
    )  # fmt: skip
    model.build()
    return model


def embedding():
    from pyannote.audio.core.task import Problem, Resolution, Specifications
    from pyannote.audio.models.embedding import XVectorMFCC

    model = XVectorMFCC(dimension=16)
    model.specifications = Specifications(
        problem=Problem.REPRESENTATION, resolution=Resolution.CHUNK, duration=5.0, classes=["a", "b"]
    )
    return model


CONFIG = """\
dependencies:
  pyannote.audio: 4.0.0
pipeline:
  name: pyannote.audio.pipelines.SpeakerDiarization
  params:
    clustering: AgglomerativeClustering
    embedding: $model/embedding
    embedding_batch_size: 8
    embedding_exclude_overlap: true
    segmentation: $model/segmentation
    segmentation_batch_size: 8
params:
  clustering:
    method: centroid
    min_cluster_size: 2
    threshold: 0.7
  segmentation:
    min_duration_off: 0.0
"""


def pipeline(folder):
    """Write it."""
    torch.manual_seed(0)
    save(segmentation(), folder / "segmentation" / "pytorch_model.bin")
    save(embedding(), folder / "embedding" / "pytorch_model.bin")
    (folder / "config.yaml").write_text(CONFIG)
    return folder
