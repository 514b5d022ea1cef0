"""Options of the verbs that tell speakers apart."""

from dataclasses import dataclass

from .formats import PICTURES, either
from .option import option


@dataclass(frozen=True)
class VerifyOptions:
    """`audiocli verify`."""

    trials: str | None = option(
        None,
        "Compare the pairs of a list: two paths a line, and perhaps 0 or 1 (then error rates are reported).",
        metavar="FILE",
    )
    reference: tuple[str, ...] = option(
        (), "A recording of the person that every INPUT is compared with (repeatable).", metavar="FILE", short="-r"
    )
    enroll: str | None = option(
        None,
        "Put the voice in the INPUTs under this name into --db; once more: beside what is known of it.",
        metavar="NAME",
    )
    identify: bool = option(False, "Who of --db each INPUT is, or nobody.")
    recording: bool = option(False, "Compare recordings, not speakers: which track of --db is each INPUT a piece of?")
    index: str | None = option(None, "With --recording: put the tracks of a folder or file into --db.", metavar="DIR")
    db: str | None = option(None, "The database of voices, or with --recording of tracks.", metavar="FILE")
    far: float = option(0.01, "The share of different speakers that may be taken for the same.", metavar="SHARE")
    threshold: float | None = option(
        None, "A bare threshold for the score (by --far, length and noise).", metavar="SCORE"
    )
    calibrate: str | None = option(
        None,
        "Fit what scores mean to recordings like yours, by a list as of --trials whose pairs have labels; into -o FILE.",
        metavar="FILE",
    )
    calibration: str | None = option(
        None, "What scores mean, as --calibrate has found out (the model's own calibration).", metavar="FILE"
    )
    exit_code: bool = option(False, "Exit 0 when everything is the same, 1 when not, or not decided.")
    plot: str | None = option(None, "With labelled --trials: draw the detection error tradeoff.", metavar="PICTURE")
    listing: bool = option(False, "Who is enrolled in --db.", flags="--list")
    remove: str | None = option(None, "Forget the voice of this name in --db.", metavar="NAME")
    rename: tuple[str, str] | None = option(None, "Call a voice in --db by another name.", metavar="OLD NEW")


@dataclass(frozen=True)
class DiarizeOptions:
    """`audiocli diarize`; None for a number of speakers: what the data say."""

    speakers: int | None = option(None, "How many there are (found out).", metavar="N", short="-n")
    min_speakers: int | None = option(None, "At least so many.", metavar="N")
    max_speakers: int | None = option(None, "At most so many.", metavar="N")
    exclusive: bool = option(False, "No two speakers at once, from models that find overlap.")
    channels: bool = option(False, "Each channel is a speaker of its own, as in recorded telephone calls.")
    # Probability of speech that a turn begins with: far-field meetings need it low.
    vad_threshold: float = option(0.3, "How sure of speech silero-vad must be: lower finds more of it.", metavar="P")
    db: str | None = option(
        None, "Call speakers by name whose voices 'audiocli verify --enroll' put there.", metavar="FILE"
    )
    enroll_as: tuple[str, ...] = option(
        (),
        "Put the voice of a speaker of this one INPUT into --db under a name, once you know who it is (repeatable).",
        metavar="NAME=SPEAKER",
    )
    plot: str | None = option(None, f"Also draw a {either(PICTURES)} beside each output.", metavar="FORMAT")
