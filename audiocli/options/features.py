"""Options of `audiocli features`, and the front ends that its presets stand for."""

from dataclasses import asdict, dataclass, fields
from functools import lru_cache
from typing import Any

from .formats import PICTURES, either
from .option import option

KINDS = (
    "waveform", "mu-law", "spectrogram", "mel", "log-mel", "mfcc", "chroma", "onset", "tempo", "beats",
    "rms", "zcr", "centroid", "bandwidth", "rolloff", "flatness", "flux", "pitch", "notes",
)  # fmt: skip


@dataclass(frozen=True)
class FrontEnd:
    """From samples to spectra: how frames are cut, and what is made of them."""

    sample_rate: int = 16_000  # Hz, what the input is resampled to
    n_fft: int = 512
    win_length: int = 400
    hop_length: int = 160
    window: str = "hann"
    periodic: bool = True  # the window's last value is not its first one again
    center: bool = True  # frame f is centred on sample f * hop_length
    padding: str = "constant"  # what stands beyond the ends then: constant (zeros) or reflect
    drop_last: bool = False  # Whisper leaves the last frame out
    preemphasis: float | None = None  # Kaldi's frames: mean taken out, then x[i] -= preemphasis * x[i - 1]
    gain: float = 1.0  # Kaldi counts samples in 16-bit steps
    power: float = 2.0  # exponent of the magnitude: 2 power, 1 magnitude
    even_bins: bool = False  # torchaudio's bins lie evenly from 0 to sample_rate // 2, even where one of the two is odd
    n_mels: int = 80
    fmin: float = 0.0  # Hz
    fmax: float | None = None  # Hz; None: half the sample rate
    mel_scale: str = "slaney"
    norm: str = "slaney"
    log: str = "db"  # db (10 log10), ln or log10
    floor: float = 1e-10  # values below count as this under the logarithm
    top_db: float | None = None  # log-mel values further than this below the loudest one are raised to it
    shift: float = 0.0  # log-mel = (logarithm + shift) * scale
    scale: float = 1.0
    n_mfcc: int = 13
    mfcc_top_db: float | None = None
    lifter: float = 0.0
    energy: bool = False  # Kaldi: the log energy of the frame takes the place of coefficient 0

    @property
    def half_rate(self) -> float:
        """Hz up to which spectra go."""
        return self.sample_rate // 2 if self.even_bins else self.sample_rate / 2

    @property
    def top(self) -> float:
        """Upper edge of the highest mel band in Hz."""
        return self.half_rate if self.fmax is None else self.fmax


FRONT_ENDS = {
    "audiocli": FrontEnd(),
    # librosa.feature.melspectrogram, power_to_db, mfcc (librosa 0.11)
    "librosa": FrontEnd(
        sample_rate=22_050, n_fft=2_048, win_length=2_048, hop_length=512, n_mels=128, top_db=80.0, n_mfcc=20,
        mfcc_top_db=80.0,
    ),
    # torchaudio.transforms.MelSpectrogram, AmplitudeToDB, MFCC (torchaudio 2.11)
    "torchaudio": FrontEnd(
        n_fft=400, hop_length=200, padding="reflect", even_bins=True, n_mels=128, mel_scale="htk", norm="none", n_mfcc=40,
        mfcc_top_db=80.0,
    ),
    # compute-fbank-feats and compute-mfcc-feats without dither
    "kaldi": FrontEnd(
        window="povey", periodic=False, center=False, preemphasis=0.97, gain=32_768.0, n_mels=23, fmin=20.0,
        mel_scale="kaldi", norm="none", log="ln", floor=1.1920928955078125e-07, lifter=22.0, energy=True,
    ),
    # openai/whisper audio.py, without the padding to 30 s
    "whisper": FrontEnd(
        n_fft=400, padding="reflect", drop_last=True, log="log10", top_db=80.0, shift=4.0, scale=0.25, mfcc_top_db=80.0,
    ),
    # transformers ASTFeatureExtractor with the AudioSet statistics, without the padding to 1,024 frames
    "ast": FrontEnd(
        periodic=False, center=False, preemphasis=0.97, n_mels=128, fmin=20.0, mel_scale="kaldi", norm="none",
        log="ln", floor=1.1920928955078125e-07, shift=4.2677393, scale=1.0 / (2 * 4.5689974),
    ),
    # our own nets that make sound: 80 frames a second, 50 ms each, magnitudes as in Tacotron (Wang et al. 2017)
    "vocoder": FrontEnd(n_fft=1_024, win_length=800, hop_length=200, power=1.0, log="ln", floor=1e-5),
}  # fmt: skip


@dataclass(frozen=True)
class FeaturesOptions:
    """`audiocli features`; None stands for what the preset says."""

    kind: tuple[str, ...] = option(
        ("log-mel",), f"What to compute (repeatable, or a,b): {', '.join(KINDS)}.", metavar="KIND", short="-k"
    )
    preset: str = option(
        "audiocli", f"Whose front end to give the numbers of: {', '.join(FRONT_ENDS)}.", metavar="NAME"
    )
    sample_rate: int | None = option(None, "Resample to this rate first (16000).", metavar="HZ")
    n_fft: int | None = option(None, "Samples in one FFT (512).", metavar="N")
    win_length: int | None = option(None, "Samples under the window (400).", metavar="N")
    hop_length: int | None = option(None, "Samples from frame to frame (160).", metavar="N")
    window: str | None = option(None, "hann, hamming, blackman, rectangular, povey or bartlett.", metavar="NAME")
    center: bool | None = option(None, "Frames centred on their times, the ends padded.", flags="--center/--no-center")
    power: float | None = option(None, "Exponent of the magnitude: 2 for power, 1 for magnitude.", metavar="P")
    n_mels: int | None = option(None, "Mel bands (80).", metavar="N")
    fmin: float | None = option(None, "Lower edge of the lowest mel band.", metavar="HZ")
    fmax: float | None = option(None, "Upper edge of the highest mel band (half the rate).", metavar="HZ")
    mel_scale: str | None = option(None, "slaney, htk or kaldi.", metavar="NAME")
    norm: str | None = option(None, "Height of the mel triangles: slaney (area 1) or none (height 1).", metavar="NAME")
    db: bool | None = option(None, "Log-mel in decibels, or as natural logarithms.", flags="--db/--log")
    top_db: float | None = option(None, "Raise log-mel values further than this below the loudest to it.", metavar="DB")
    n_mfcc: int | None = option(None, "Cepstral coefficients (13).", metavar="N")
    tuning: float | None = option(
        None, "Of chroma: semitones above A4 = 440 Hz (default: estimated for each input).", metavar="SEMITONES"
    )
    deltas: bool = option(False, "MFCCs with their first and second derivatives.")
    mu: int = option(255, "Mu-law levels less one: 2^n - 1.", metavar="MU")
    pitch_fmin: float = option(60.0, "Lowest pitch to look for.", metavar="HZ")
    pitch_fmax: float = option(1_000.0, "Highest pitch to look for.", metavar="HZ")
    stats: bool = option(False, "One row a file: mean, std, min and max of every column.")
    plot: str | None = option(None, f"Also draw a {either(PICTURES)} beside each output.", metavar="FORMAT")
    show: bool = option(False, "Also draw a picture in the terminal.")


@lru_cache(maxsize=8)
def front_end(options: FeaturesOptions) -> FrontEnd:
    """The preset's front end with what the user set over it."""
    base = asdict(FRONT_ENDS[options.preset])
    given = {field.name: getattr(options, field.name, None) for field in fields(FrontEnd)}
    base |= {name: value for name, value in given.items() if value is not None}
    if options.n_fft is not None and options.win_length is None:
        base["win_length"] = options.n_fft
    if options.db is not None:
        base["log"] = "db" if options.db else "ln"
    return FrontEnd(**base)


@lru_cache(maxsize=8)
def described(options: FeaturesOptions) -> dict[str, Any]:
    """The options as they are stored in results: the ones that shape the numbers, the front end filled in.

    Made once for all inputs of a run, so nobody may change it.
    """
    front = front_end(options)
    own = {name: getattr(options, name) for name in ("tuning", "deltas", "mu", "pitch_fmin", "pitch_fmax")}
    return {"kind": list(options.kind), "preset": options.preset, **asdict(front), "fmax": front.top, **own}
