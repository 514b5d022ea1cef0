"""The files of a DeepFilterNet: three ONNX nets and their settings, in the archive of its authors or in a folder."""

import configparser
import tarfile
import zlib
from dataclasses import dataclass
from pathlib import Path

from ...errors import DownloadError, ModelError
from .models import DEEP_ARCHIVE

MEMBERS = ("enc.onnx", "erb_dec.onnx", "df_dec.onnx", "config.ini")
LARGEST = 2**28  # bytes of a file in the archive; the largest of DeepFilterNet3 has 3.3 million


@dataclass(frozen=True)
class Shape:
    """What the signal processing has to know; in frames: ahead (of the filters), look (of the features), context, deep_context.

    context: earlier frames that the first layer of the encoder sees. deep_context: those that the decoder of the taps sees.
    seconds: the time constant of the averages. least: bins that a band has.
    """

    sample_rate: int
    n_fft: int
    n_bands: int
    n_low: int
    order: int
    ahead: int
    look: int
    context: int
    deep_context: int
    least: int
    seconds: float

    @property
    def hop_length(self) -> int:
        return self.n_fft // 2


def contents(folder: Path) -> dict[str, bytes]:
    """The bytes of MEMBERS by their names, from the archive in a folder or from the folder itself. Raises ModelError."""
    archive = folder / DEEP_ARCHIVE
    found = _unpacked(archive) if archive.is_file() else _read(folder)
    if lacking := [name for name in MEMBERS if name not in found]:
        raise ModelError(f"{archive if archive.is_file() else folder} has no {lacking[0]}: it is not a DeepFilterNet")
    return found


def _read(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in MEMBERS if (folder / name).is_file()}


def _unpacked(archive: Path) -> dict[str, bytes]:
    """The members that are wanted, whatever folders they are said to lie in; nothing is written."""
    found = {}
    try:
        with tarfile.open(archive, "r|gz") as stream:
            for member in stream:
                name = member.name.rpartition("/")[2]
                if name not in MEMBERS or not member.isfile():
                    continue
                if member.size > LARGEST:
                    raise ModelError(f"{archive.name}: {name} has {member.size} bytes, which is no net of this kind")
                content = stream.extractfile(member)
                found[name] = content.read() if content else b""
    except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
        raise DownloadError(f"{archive} is damaged: {str(error) or type(error).__name__}") from error
    return found


def shape(settings: bytes) -> Shape:
    """The shape that a config.ini describes. Raises ModelError."""
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(settings.decode())
        deep, net = parser["df"], parser["deepfilternet"]
        found = Shape(
            sample_rate=int(deep["sr"]),
            n_fft=int(deep["fft_size"]),
            n_bands=int(deep["nb_erb"]),
            n_low=int(deep["nb_df"]),
            order=int(deep["df_order"]),
            ahead=int(deep["df_lookahead"]),
            look=int(net["conv_lookahead"]),
            context=int(net["conv_kernel_inp"].split(",")[0]) - 1,
            deep_context=int(net["df_pathway_kernel_size_t"]) - 1,
            least=int(deep["min_nb_erb_freqs"]),
            seconds=float(deep["norm_tau"]),
        )
        half = 2 * int(deep["hop_size"]) == found.n_fft
    except (configparser.Error, KeyError, ValueError) as error:
        raise DownloadError(f"config.ini is not that of a DeepFilterNet: {str(error).splitlines()[0]}") from error
    fits = 0 <= found.ahead < found.order and found.ahead <= found.look and min(found.context, found.deep_context) >= 0
    if not (half and fits and 0 < found.n_low <= found.n_fft // 2 and found.n_bands > 0 and found.seconds > 0):
        raise ModelError("config.ini describes a DeepFilterNet of another kind: take DeepFilterNet3")
    return found
