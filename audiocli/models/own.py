"""Nets of our own from the folder that `audiocli train` writes."""

import json
from pathlib import Path
from typing import Any, TypeVar

from torch import nn

from ..device import Place

Net = TypeVar("Net", bound=nn.Module)


def config(path: Path) -> dict[str, Any]:
    """The folder's config.json."""
    parsed: dict[str, Any] = json.loads((path / "config.json").read_text(encoding="utf-8"))
    return parsed


def with_weights(net: Net, path: Path, place: Place) -> Net:
    """The net with the folder's weights, on its device in its precision, ready to be used."""
    import torch
    from safetensors.torch import load_file

    net.load_state_dict(load_file(path / "model.safetensors"))
    dtype = getattr(torch, place.dtype)
    return net.to(place.device, dtype).eval()
