"""Nets that are ONNX files, through onnxruntime: threads, devices, and errors that say what is wrong with a file."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from ..errors import DeviceError, DownloadError, ModelError

CUDA, PROCESSOR = "CUDAExecutionProvider", "CPUExecutionProvider"
GRAPH, OUTPUT, NAME = 7, 12, 1  # fields of a model, of its graph, and of a value (onnx.proto)
CURE = "copy or pull it again"  # what helps against a damaged file, where nothing better is known
SILENT = 4  # of its log: nothing but what ends the process; errors come as exceptions, which are read here


class Net:
    """A net in memory: arrays by their names in, the outputs in their order out."""

    def __init__(self, session: Any, name: str) -> None:
        self._session, self._name = session, name
        self.inputs = {one.name: tuple(one.shape) for one in session.get_inputs()}
        self.outputs = tuple(one.name for one in session.get_outputs())

    def __call__(self, **inputs: NDArray[Any]) -> list[NDArray[Any]]:
        """The outputs for these inputs. Raises ModelError for what the net cannot take."""
        try:
            return self._session.run(None, inputs)  # type: ignore[no-any-return]
        except Exception as error:
            raise ModelError(f"{self._name} cannot work on this: {_line(error)}") from error

    def metadata(self) -> dict[str, str]:
        """What the file says of itself."""
        return dict(self._session.get_modelmeta().custom_metadata_map)


def load(
    source: Path | bytes, *, name: str = "", device: str = "auto", threads: int = 0, takes: Sequence[str] = (),
    beside: Mapping[str, bytes] | None = None, cure: str = CURE,
) -> Net:  # fmt: skip
    """The net in an ONNX file, or in the bytes of one.

    device: auto, cpu, cuda or cuda:N. threads: 0 for as many as there are cores. takes: names of inputs that it must have.
    beside: files of weights by the names that the net has for them, in memory, too. cure: what to do about a damaged file.
    Raises DownloadError for a file that is damaged or no net; ModelError for one of another net, or that is not there; DeviceError.
    """
    import onnxruntime

    name = name or (source.name if isinstance(source, Path) else "the net")
    if isinstance(source, Path) and not source.is_file():
        raise ModelError(f"there is no {source}")
    options = onnxruntime.SessionOptions()
    options.log_severity_level = SILENT
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    providers = _providers(device, onnxruntime.get_available_providers())
    if beside:
        options.add_external_initializers_from_files_in_memory(
            list(beside), list(beside.values()), [len(one) for one in beside.values()]
        )
    try:
        session = onnxruntime.InferenceSession(
            str(source) if isinstance(source, Path) else source, options, providers=providers
        )
    except Exception as error:
        raise DownloadError(f"{name} is not an ONNX model, or is damaged: {_line(error)} ({cure})") from error
    net = Net(session, name)
    if lacking := [one for one in takes if one not in net.inputs]:
        raise ModelError(f"{name} is an ONNX model of something else: it has no input {lacking[0]!r}")
    return net


def opened(content: bytes, name: str) -> bytes:
    """The bytes of an ONNX file that gives a value inside its net, too, behind its other outputs.

    Of two protocol buffers one behind the other a reader makes one, and joins their lists: a graph of one output is added.
    """
    return content + _field(GRAPH, _field(OUTPUT, _field(NAME, name.encode())))


def _field(number: int, content: bytes) -> bytes:
    """A field of a protocol buffer that is shorter than 128 bytes."""
    return bytes([number << 3 | 2, len(content)]) + content


def _providers(device: str, known: Sequence[str]) -> list[Any]:
    """What runs it, the best first. Raises DeviceError for a device that this onnxruntime cannot use."""
    kind, _, number = device.partition(":")
    if kind == "cuda" and CUDA not in known:
        raise DeviceError(f"--device {device}: this onnxruntime has no CUDA (pip install onnxruntime-gpu)")
    if kind in ("auto", "cuda") and CUDA in known:
        return [(CUDA, {"device_id": int(number or 0)}), PROCESSOR]
    return [PROCESSOR]


def _line(error: Exception) -> str:
    """The heart of a message of the library's."""
    text = (str(error).strip() or type(error).__name__).splitlines()[0]
    return re.sub(r"^Load model from .* failed: *", "", text.rsplit(" : ", 1)[-1])
