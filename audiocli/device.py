"""The device that the work is done on, and its precision; the only place that asks torch."""

import gc
import sys
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from .errors import DeviceError, UsageError, check_choice
from .options import PRECISIONS


def on_cpu(name: str) -> bool:
    """Whether a --device stands for the processor in a verb whose own kernels are as fast: auto and cpu. Needs no torch."""
    kind, _, number = name.partition(":")
    check_choice("--device", kind, ("auto", "cpu", "cuda", "mps"))
    if number and not number.isdigit():
        raise UsageError(f"--device {name}: what follows the colon is the number of a device, as in cuda:0")
    return kind in ("auto", "cpu")


def choose(name: str) -> Any:
    """The torch.device of a --device. Raises DeviceError when it is missing: no silent fallback to the processor."""
    import torch

    kind, _, number = name.partition(":")
    if kind == "cuda":
        count = torch.cuda.device_count()
        if not torch.cuda.is_available() or int(number or 0) >= count:
            raise DeviceError(f"--device {name}: this machine has {count} CUDA devices that torch can use")
    if kind == "mps" and not torch.backends.mps.is_available():
        raise DeviceError("--device mps: torch finds no Apple GPU here")
    return torch.device(name)


@dataclass(frozen=True)
class Place:
    """The place of a model: its device and the precision of its weights, settled when they are first asked for.

    `half` is the 16-bit type that the model bears: some that were trained in bfloat16 overflow in float16.
    """

    name: str = "auto"
    precision: str = "auto"
    half: str = "float16"
    processor_only: bool = False  # a model without torch

    @cached_property
    def device(self) -> Any:
        """The torch.device; None for a model without torch. Raises DeviceError."""
        if self.processor_only:
            return None
        import torch

        return choose(("cuda" if torch.cuda.is_available() else "cpu") if self.name == "auto" else self.name)

    @cached_property
    def dtype(self) -> str:
        """The name of the torch type: 16 bits on CUDA unless asked otherwise, elsewhere float32, which is faster there."""
        if self.processor_only:
            return "float32"
        if self.precision != "auto":
            return self.precision
        if self.device.type != "cuda":
            return "float32"
        import torch

        real = self.half != "bfloat16" or torch.cuda.is_bf16_supported(including_emulation=False)
        return self.half if real else "float32"


def place(name: str, precision: str, *, half: str = "float16", processor_only: bool = False, model: str = "") -> Place:
    """The place for --device and --precision; checked as far as that goes without torch. Raises UsageError."""
    processor = on_cpu(name)
    check_choice("--precision", precision, PRECISIONS)
    if processor_only and not processor:
        raise UsageError(f"{model or 'this model'} runs on the processor only: leave out --device {name}")
    if processor_only and precision not in ("auto", "float32"):
        raise UsageError(f"{model or 'this model'} has one precision only: leave out --precision {precision}")
    return Place(name, precision, half, processor_only)


def free(where: Any) -> float | None:
    """Free memory of a torch.device in GiB; None where that says little: the processor's memory is shared and swaps."""
    if where.type != "cuda":
        return None
    import torch

    return float(torch.cuda.mem_get_info(where)[0] / 2**30)


def out_of_memory(error: Exception) -> bool:
    """Whether an error says that memory has run out, of the processor or of a device."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    return isinstance(error, RuntimeError) and "allocate memory" in str(error)  # torch's, on the processor


def release() -> None:
    """Free the memory of models that are no longer in use."""
    gc.collect()
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available() and torch.cuda.is_initialized():
        torch.cuda.empty_cache()
