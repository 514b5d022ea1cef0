"""Which device the work is done on; the only place that asks torch."""

from typing import Any

from .errors import DeviceError, UsageError


def on_cpu(name: str) -> bool:
    """Whether a --device stands for the processor in a verb whose own kernels are as quick: auto and cpu. Needs no torch."""
    kind, _, number = name.partition(":")
    if kind not in ("auto", "cpu", "cuda", "mps") or (number and not number.isdigit()):
        raise UsageError(f"--device must be auto, cpu, cuda, cuda:N or mps, not {name!r}")
    return kind in ("auto", "cpu")


def choose(name: str) -> Any:
    """The torch.device of a --device. Raises DeviceError when it is not there: there is no silent way back to the processor."""
    import torch

    kind, _, number = name.partition(":")
    if kind == "cuda":
        count = torch.cuda.device_count()
        if not torch.cuda.is_available() or int(number or 0) >= count:
            raise DeviceError(f"--device {name}: this machine has {count} CUDA devices that torch can use")
    if kind == "mps" and not torch.backends.mps.is_available():
        raise DeviceError("--device mps: torch finds no Apple GPU here")
    return torch.device(name)
