"""Names of formats as help lists them; a test compares them with `outputs.formats.FORMATS`, which needs numpy."""

from collections.abc import Sequence
from pathlib import PurePath

PICTURES = ("png", "svg", "pdf")
SOUND = ("wav", "flac", "ogg", "opus", "mp3", "aiff", "au", "caf", "w64", "rf64")
FEATURES = ("npy", "npz", "csv", "json", "jsonl", "parquet", "mid", "txt", *PICTURES)
TRANSCRIPT = ("txt", "srt", "vtt", "tsv", "csv", "json", "jsonl", "ctm", "TextGrid", "lrc")
SPEECH = (*SOUND, "raw", "json")
RECORDING = (*SOUND, "json", "jsonl", "txt")
MUSIC = (*SOUND, "mid", "json", "jsonl", "txt")
MATCH = ("txt", "jsonl", "json", "csv", "tsv")
LABELS = ("txt", "csv", "tsv", "json", "jsonl")
EVENTS = ("TextGrid", "labels", "rttm")  # beside those of labels
TURNS = ("rttm", "json", "jsonl", "csv", "TextGrid", "srt", "labels", "txt", *PICTURES)
_WORDS = {"labels": "labels (Audacity)"}  # a name that says too little by itself


def picture(path: str) -> str | None:
    """The picture format that a file's name asks for."""
    suffix = PurePath(path).suffix[1:].lower()
    return suffix if suffix in PICTURES else None


def either(names: Sequence[str], last: str = " or ") -> str:
    """A choice in words: png, svg or pdf."""
    *first, final = (_WORDS.get(name, name) for name in names)
    return ", ".join(first) + last + final
