"""Every option and its default, once; the command line, the library and the documents read them here (stdlib only)."""

import os
from dataclasses import asdict, dataclass, fields
from functools import lru_cache
from typing import Any

KINDS = (
    "waveform", "mu-law", "spectrogram", "mel", "log-mel", "mfcc", "chroma", "onset", "tempo", "beats",
    "rms", "zcr", "centroid", "bandwidth", "rolloff", "flatness", "flux", "pitch",
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
}  # fmt: skip


@dataclass(frozen=True)
class InputOptions:
    """What every verb reads."""

    glob: tuple[str, ...] = ()
    files_from: str | None = None
    raw: str | None = None
    start: float = 0.0  # s
    duration: float | None = None  # s


@dataclass(frozen=True)
class OutputOptions:
    """Where every verb writes, and how the run goes."""

    output: str | None = None
    format: str | None = None
    resume: bool = False
    force: bool = False
    jobs: int | None = None
    quiet: bool = False

    @property
    def wanted(self) -> str:
        """The format that was asked for, in lower case: --format, else the suffix of -o; empty where there is neither."""
        return (self.format or os.path.splitext(self.output or "")[1][1:]).lower()


@dataclass(frozen=True)
class FeaturesOptions:
    """`audiocli features`; None stands for what the preset says."""

    kind: tuple[str, ...] = ("log-mel",)
    preset: str = "audiocli"
    sample_rate: int | None = None
    n_fft: int | None = None
    win_length: int | None = None
    hop_length: int | None = None
    window: str | None = None
    center: bool | None = None
    power: float | None = None
    n_mels: int | None = None
    fmin: float | None = None
    fmax: float | None = None
    mel_scale: str | None = None
    norm: str | None = None
    db: bool | None = None
    top_db: float | None = None
    n_mfcc: int | None = None
    tuning: float | None = None  # semitones from A4 = 440 Hz, of chroma; None: estimated
    deltas: bool = False
    mu: int = 255
    pitch_fmin: float = 60.0  # Hz
    pitch_fmax: float = 1_000.0  # Hz
    stats: bool = False
    plot: str | None = None
    show: bool = False
    device: str = "auto"


PRECISIONS = ("auto", "float32", "float16", "bfloat16")


@dataclass(frozen=True)
class ModelOptions:
    """Which model a verb uses, and on what; None: the user's default for the task, else the built-in one."""

    model: str | None = None
    device: str = "auto"
    precision: str = "auto"
    memory: float | None = None  # GiB for models, None: no limit
    offline: bool = False


@dataclass(frozen=True)
class TranscribeOptions:
    """`audiocli transcribe`."""

    language: str | None = None  # None: the model's, or detected
    translate: bool = False
    timestamps: str = "segment"  # segment or word
    vad: bool = True
    prompt: str | None = None
    hotwords: tuple[str, ...] = ()
    beam: int = 1
    temperature: float = 0.0
    max_line_width: int = 42  # characters of a subtitle
    max_lines: int = 2
    diarize: bool = False
    speakers: int | None = None
    db: str | None = None
    stream: bool = False
    lm: str | None = None  # n-grams, for CTC models
    lm_weight: float = 0.5
    batch_size: str = "auto"  # or a number: pieces in a forward pass


@dataclass(frozen=True)
class SpeakOptions:
    """`audiocli speak`."""

    file: tuple[str, ...] = ()
    lines: bool = False
    name: str = "{index:04d}-{slug}"  # of each file with --lines
    voice: str | None = None  # None: the model's
    language: str | None = None  # None: the voice's
    rate: float = 1.0  # times as fast
    pitch: float = 0.0  # semitones up
    seed: int = 0
    pause: float = 0.3  # s between sentences, twice that between paragraphs
    loudness: float | None = None  # LUFS of each sentence, None: as the model speaks
    timestamps: str | None = None  # srt or json
    vocoder: str | None = None  # a model, a folder or griffin-lim; None: the model's own
    list_voices: bool = False


@dataclass(frozen=True)
class CloneOptions:
    """`audiocli clone`."""

    file: tuple[str, ...] = ()
    source: tuple[str, ...] = ()
    reference: tuple[str, ...] = ()
    voice: str | None = None
    save_voice: str | None = None
    speaker_model: str | None = None
    vocoder: str | None = None
    seed: int = 0
    pause: float = 0.3  # s


@dataclass(frozen=True)
class ClassifyOptions:
    """`audiocli classify`; None stands for what the model says."""

    top: int = 3
    threshold: float | None = None  # of a label's probability; None: 0 for files, 0.5 for events
    labels: str | None = None  # a file with one a line, or "a,b,c"
    prompt_template: str = "This is a sound of {}."
    events: bool = False
    window: float | None = None  # s
    hop: float | None = None  # s
    smooth: float = 1.0  # s
    gap: float = 1.0  # s between two events of one label that are one
    shortest: float = 0.2  # s of an event
    plot: str | None = None


@dataclass(frozen=True)
class DenoiseOptions:
    """`audiocli denoise`."""

    strength: float | None = None  # share of the denoised sound, 0 to 1; None: what measured best for the model
    stream: bool = False
    report: bool = False
    dnsmos: str | None = None  # path of the DNSMOS P.835 model, for the report
    json: bool = False


@dataclass(frozen=True)
class TrainOptions:
    """`audiocli train`; None stands for what the recipe says."""

    data: tuple[str, ...] = ()
    output: str | None = None
    base: str | None = None  # --from: a model to go on from
    valid: str | None = None  # None: a tenth of the data, by lot
    test: str | None = None
    epochs: int | None = None
    minutes: float | None = None
    batch_size: int | None = None
    rate: float | None = None
    patience: int | None = None
    seed: int = 0
    set: tuple[str, ...] = ()  # NAME=VALUE of the recipe's own options
    licence: str | None = None  # of the data, for the card
    device: str = "auto"
    precision: str = "auto"
    jobs: int | None = None
    resume: bool = False
    force: bool = False
    quiet: bool = False


@dataclass(frozen=True)
class VerifyOptions:
    """`audiocli verify`."""

    trials: str | None = None
    reference: tuple[str, ...] = ()
    enroll: str | None = None
    identify: bool = False
    recording: bool = False
    index: str | None = None
    db: str | None = None
    far: float = 0.01  # share of different speakers that may be accepted
    threshold: float | None = None  # None: by the calibration
    exit_code: bool = False
    plot: str | None = None
    listing: bool = False
    remove: str | None = None
    rename: tuple[str, str] | None = None


@dataclass(frozen=True)
class DiarizeOptions:
    """`audiocli diarize`; None for a number of speakers: what the data say."""

    speakers: int | None = None
    min_speakers: int | None = None
    max_speakers: int | None = None
    exclusive: bool = False
    channels: bool = False
    db: str | None = None
    plot: str | None = None


INSTRUMENTS = ("choir", "organ", "strings", "piano")
MUSIC_SECONDS, LONGEST_MUSIC = 30.0, 3_600.0


@dataclass(frozen=True)
class MusicOptions:
    """`audiocli generate-music`."""

    seconds: float | None = None  # None: MUSIC_SECONDS, or as long as the melody
    count: int = 1
    seed: int = 0
    temperature: float | None = None  # of these three, None: the model's
    top_k: int | None = None
    top_p: float | None = None
    guidance: float = 3.0  # of MusicGen: how closely it keeps to the prompt
    tempo: float | None = None  # quarters a minute; None: the primer's or the melody's, else 80
    key: str | None = None
    primer: str | None = None
    melody: str | None = None
    instrument: str = "choir"
    soundfont: str | None = None
    stems: bool = False
    plot: str | None = None
    lines: str | None = None


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


def shaping(reading: InputOptions) -> dict[str, Any]:
    """What of the reading shapes the result for one input; which inputs there are does not."""
    return {"raw": reading.raw, "start": reading.start, "duration": reading.duration}
