"""What the JSON beside a Piper voice says: its rate, phonemes, speakers and scales."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...errors import DownloadError, ModelError

START, END, PAD = "^", "$", "_"
ESPEAK, TEXT = "espeak", "text"  # ways from a text to phonemes


@dataclass(frozen=True)
class Config:
    """numbers: of each phoneme. replaced: phonemes in the place of others. scales: of noise, length and noise of the lengths."""

    sample_rate: int  # Hz
    espeak_voice: str
    phoneme_type: str
    numbers: Mapping[str, tuple[int, ...]]
    replaced: Mapping[str, tuple[str, ...]]
    speakers: Mapping[str, int]
    scales: tuple[float, float, float]
    language: str
    dataset: str  # it often goes by this short name


def beside(voice: Path) -> Path:
    """The file that describes a voice."""
    return voice.with_name(f"{voice.name}.json")


def read(voice: Path) -> Config:
    """The description of the voice in an ONNX file. Raises ModelError when there is none, or it is of something else."""
    path = beside(voice)
    try:
        parsed = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise DownloadError(f"there is no {path.name} beside {voice}: a Piper voice is both files") from error
    except (OSError, ValueError) as error:
        raise DownloadError(f"{path} is damaged: it is not JSON ({error})") from error
    if not isinstance(parsed, dict) or not isinstance(parsed.get("phoneme_id_map"), dict):
        raise ModelError(f"{path} has no phoneme_id_map: it is not what Piper writes beside a voice")
    try:
        return _config(parsed)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        what = f"it lacks {error}" if isinstance(error, KeyError) else str(error)
        raise ModelError(f"{path} is not what Piper writes beside a voice: {what}") from error


def _config(parsed: dict[str, Any]) -> Config:
    inference, espeak = parsed.get("inference") or {}, (parsed.get("espeak") or {}).get("voice", "")
    scales = [float(inference.get(name, usual)) for name, usual in _SCALES]
    numbers = {phoneme: tuple(map(int, ids)) for phoneme, ids in parsed["phoneme_id_map"].items()}
    kind, rate = parsed.get("phoneme_type") or ESPEAK, int(parsed["audio"]["sample_rate"])
    if kind not in (ESPEAK, TEXT):
        raise ValueError(f"its phonemes are of the type {kind!r}; audiocli knows {ESPEAK} and {TEXT}")
    if kind == ESPEAK and not espeak:
        raise ValueError("it names no voice of espeak-ng")
    if lacking := [sign for sign in (START, END, PAD) if sign not in numbers]:
        raise ValueError(f"its phoneme_id_map lacks {lacking[0]}")
    if rate <= 0 or not all(map(math.isfinite, scales)) or scales[1] <= 0:
        raise ValueError("its sample rate or its scales are no such numbers")
    return Config(
        rate, str(espeak), kind, numbers, {one: tuple(many) for one, many in (parsed.get("phoneme_map") or {}).items()},
        _speakers(parsed), (scales[0], scales[1], scales[2]),
        str((parsed.get("language") or {}).get("code") or espeak).replace("_", "-").lower(), str(parsed.get("dataset", "")),
    )  # fmt: skip


_SCALES = (("noise_scale", 0.667), ("length_scale", 1.0), ("noise_w", 0.8))


def _speakers(parsed: dict[str, Any]) -> dict[str, int]:
    """The speakers by name, else by number; none where there is but one."""
    count = int(parsed.get("num_speakers") or 1)
    named = {str(name): int(number) for name, number in (parsed.get("speaker_id_map") or {}).items()}
    if count <= 1:
        return {}
    return named or {str(number): number for number in range(count)}
