"""A pyannote pipeline folder as its users have it, with small nets of random weights: the files of community-1."""

import numpy as np
import torch

DIMENSION = 16

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

    model = XVectorMFCC(dimension=DIMENSION)
    model.specifications = Specifications(
        problem=Problem.REPRESENTATION, resolution=Resolution.CHUNK, duration=5.0, classes=["a", "b"]
    )
    return model


def plda(folder):
    """Embeddings [16] to 8 numbers, between whose speakers there is more than within them."""
    random = np.random.default_rng(0)
    folder.mkdir()
    np.savez(
        folder / "xvec_transform.npz",
        mean1=np.zeros(DIMENSION),
        mean2=np.zeros(8),
        lda=random.standard_normal((DIMENSION, 8)),
    )
    np.savez(folder / "plda.npz", mu=np.zeros(8), tr=np.eye(8), psi=np.linspace(2.0, 0.5, 8))


CONFIG = """\
dependencies:
  pyannote.audio: 4.0.0
pipeline:
  name: pyannote.audio.pipelines.SpeakerDiarization
  params:
    clustering: VBxClustering
    embedding: $model/embedding
    plda: $model/plda
    embedding_batch_size: 8
    embedding_exclude_overlap: true
    segmentation: $model/segmentation
    segmentation_batch_size: 8
params:
  clustering:
    threshold: 0.6
    Fa: 0.07
    Fb: 0.8
  segmentation:
    min_duration_off: 0.0
"""


def pipeline(folder):
    """Write it."""
    torch.manual_seed(0)
    save(segmentation(), folder / "segmentation" / "pytorch_model.bin")
    save(embedding(), folder / "embedding" / "pytorch_model.bin")
    plda(folder / "plda")
    (folder / "config.yaml").write_text(CONFIG)
    return folder
