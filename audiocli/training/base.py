"""The weights of --from, from which a training starts."""

import json
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from ..errors import UsageError


def begin_from(folder: str | None, net: nn.Module, kind: str, classes: str = "") -> None:
    """Put the weights of a folder that `audiocli train` has written into a net; None leaves it as it is.

    kind: the `model_type` in config.json. classes: a weight that has a row a class; of other classes, it is left as it is.
    Raises UsageError.
    """
    if folder is None:
        return
    try:
        trained = json.loads((Path(folder) / "config.json").read_text(encoding="utf-8")).get("model_type")
        weights = load_file(Path(folder) / "model.safetensors")
    except (OSError, ValueError, AttributeError, SafetensorError) as error:
        raise UsageError(f"--from {folder}: is not a folder that 'audiocli train' has written") from error
    if trained != kind:
        raise UsageError(f"--from {folder}: is a {trained}, not a {kind}")
    fresh = net.state_dict()
    if classes and classes in weights and weights[classes].shape != fresh[classes].shape:
        weights[classes] = fresh[classes]
    try:
        net.load_state_dict({name: value.float() for name, value in weights.items()})
    except RuntimeError as error:
        raise UsageError(f"--from {folder}: is a net of another kind or size") from error
