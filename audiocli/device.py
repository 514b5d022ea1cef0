"""The device that the work is done on, and its precision; the only place that asks torch, or ctranslate2, what there is."""

import gc
import os
import sys
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from .errors import DeviceError, UsageError, check_choice
from .options import PRECISIONS

TORCH, CTRANSLATE2 = "torch", "ctranslate2"  # libraries that compute models
PROCESSOR = "processor"  # instead of one, where a model is computed there and nowhere else


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
class Device:
    """A device of a model without torch, with the names of a torch.device."""

    type: str
    index: int | None = None


def choose_without_torch(name: str) -> Device:
    """The device of a --device as ctranslate2 finds it. Raises DeviceError when it is missing."""
    from ctranslate2 import get_cuda_device_count

    kind, _, number = name.partition(":")
    if kind == "mps":
        raise DeviceError("--device mps: ctranslate2, which computes this model, has no Apple GPU")
    count = 0 if kind == "cpu" else get_cuda_device_count()
    if kind == "cuda" and int(number or 0) >= count:
        raise DeviceError(f"--device {name}: this machine has {count} CUDA devices that ctranslate2 can use")
    return Device("cuda", int(number or 0)) if kind == "cuda" or (kind == "auto" and count) else Device("cpu")


@dataclass(frozen=True)
class Place:
    """The place of a model: its device and the precision of its weights, settled when they are first asked for.

    `half` is the 16-bit type that the model bears: some that were trained in bfloat16 overflow in float16.
    """

    name: str = "auto"
    precision: str = "auto"
    half: str = "float16"
    processor_only: bool = False  # a model without torch
    library: str = TORCH  # that computes it elsewhere

    @property
    def threads(self) -> int:
        """The processor's threads for a library that does not count them itself."""
        asked = os.environ.get("OMP_NUM_THREADS", "")
        available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        return int(asked) if asked.isdecimal() and int(asked) else available

    @cached_property
    def device(self) -> Any:
        """The torch.device, or the Device of another library; None for one of the processor only. Raises DeviceError."""
        if self.processor_only:
            return None
        if self.library == CTRANSLATE2:
            return choose_without_torch(self.name)
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
        if self.library == CTRANSLATE2:
            return self._of_ctranslate2()
        import torch

        real = self.half != "bfloat16" or torch.cuda.is_bf16_supported(including_emulation=False)
        return self.half if real else "float32"

    def _of_ctranslate2(self) -> str:
        """The 16-bit type where the GPU has it: the older ones compute in float32."""
        from ctranslate2 import get_supported_compute_types

        known = get_supported_compute_types("cuda", self.device.index or 0)
        return self.half if self.half in known else "float32"


def place(
    name: str, precision: str, *, half: str = "float16", processor_only: bool = False, model: str = "",
    library: str = TORCH,
) -> Place:  # fmt: skip
    """The place for --device and --precision; checked as far as that goes without torch. Raises UsageError."""
    processor = on_cpu(name)
    check_choice("--precision", precision, PRECISIONS)
    if processor_only and not processor:
        raise UsageError(f"{model or 'this model'} runs on the processor only: leave out --device {name}")
    if processor_only and precision not in ("auto", "float32"):
        raise UsageError(f"{model or 'this model'} has one precision only: leave out --precision {precision}")
    return Place(name, precision, half, processor_only, library)


def free(where: Any) -> float | None:
    """Free memory of a device in GiB; None where it is not known, or says little: the processor's is shared and swaps."""
    if where.type != "cuda" or isinstance(where, Device):  # ctranslate2 does not say
        return None
    import torch

    return float(torch.cuda.mem_get_info(where)[0] / 2**30)


def out_of_memory(error: Exception) -> bool:
    """Whether an error says that memory has run out, of the processor or of a device."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    # torch's on the processor; ctranslate2's on CUDA
    return isinstance(error, RuntimeError) and ("allocate memory" in str(error) or "out of memory" in str(error))


def release() -> None:
    """Free the memory of models that are no longer in use."""
    gc.collect()
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available() and torch.cuda.is_initialized():
        torch.cuda.empty_cache()
