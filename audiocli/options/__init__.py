"""Every option, its default and its help, once; the command line, the library and the documents read them here (stdlib only)."""

from .common import CHANNEL, PRECISIONS, InputOptions, ModelOptions, OutputOptions, shaping
from .features import FRONT_ENDS, KINDS, FeaturesOptions, FrontEnd, described, front_end
from .formats import PICTURES
from .sounds import INSTRUMENTS, LONGEST_MUSIC, MUSIC_SECONDS, ClassifyOptions, DenoiseOptions, MusicOptions
from .speakers import DiarizeOptions, VerifyOptions
from .speech import CloneOptions, SpeakOptions, TranscribeOptions
from .training import TrainOptions

__all__ = [
    "CHANNEL", "FRONT_ENDS", "INSTRUMENTS", "KINDS", "LONGEST_MUSIC", "MUSIC_SECONDS", "PICTURES", "PRECISIONS",
    "ClassifyOptions", "CloneOptions", "DenoiseOptions", "DiarizeOptions", "FeaturesOptions", "FrontEnd", "InputOptions",
    "ModelOptions", "MusicOptions", "OutputOptions", "SpeakOptions", "TrainOptions", "TranscribeOptions", "VerifyOptions",
    "described", "front_end", "shaping",
]  # fmt: skip
