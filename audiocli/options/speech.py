"""Options of the verbs between speech and text."""

from dataclasses import dataclass

from .option import option


@dataclass(frozen=True)
class TranscribeOptions:
    """`audiocli transcribe`."""

    language: str | None = option(
        None, "What is spoken, as en, pt-BR or French (the model's, or detected).", metavar="CODE"
    )
    translate: bool = option(False, "Write it in English.")
    timestamps: str = option("segment", "What has a time of its own: segment or word.", metavar="UNIT")
    vad: bool = option(True, "Find the speech first (silero-vad), or take everything.", flags="--vad/--no-vad")
    vad_threshold: float = option(
        0.5, "How sure of speech silero-vad must be: lower finds more of it.", metavar="P"
    )  # probability of speech that a piece begins with
    prompt: str | None = option(None, "Text that may have come before: names, spelling, style.", metavar="TEXT")
    hotwords: tuple[str, ...] = option((), "A word or phrase to expect (repeatable).", metavar="WORDS")
    beam: int = option(1, "Hypotheses that are followed at once.", metavar="N")
    temperature: float = option(0.0, "0 takes the likeliest word; higher ones are sampled.", metavar="T")
    max_line_width: int = option(42, "Characters in a line of a subtitle, 0 for no limit.", metavar="N")
    max_lines: int = option(2, "Lines of a subtitle, 0 for no limit.", metavar="N")
    diarize: bool = option(False, "Say who speaks each word; segments end where another one goes on.")
    diarize_model: str | None = option(
        None, "What tells them apart: a model of 'audiocli diarize' (the one that diarize takes).", metavar="NAME"
    )
    speakers: int | None = option(None, "How many there are, with --diarize (found out).", metavar="N")
    db: str | None = option(
        None, "Call them by name whose voices 'audiocli verify --enroll' put there.", metavar="FILE"
    )
    stream: bool = option(
        False, "Transcribe standard input as it comes (raw s16le:16000:1, wav, flac, mp3, ogg, ...); with INPUT -."
    )
    lm: str | None = option(None, "Word n-grams (ARPA, may be gzipped) for a CTC model.", metavar="FILE")
    lm_weight: float = option(0.5, "What --lm counts for beside the model.", metavar="W")
    batch_size: str = option(
        "auto", "Pieces of speech that go through the model at once: auto, or a number.", metavar="N"
    )


@dataclass(frozen=True)
class SpeakOptions:
    """`audiocli speak`."""

    file: tuple[str, ...] = option((), "Say what is in a file, or - (repeatable).", metavar="FILE", short="-f")
    lines: bool = option(False, "A file for each line: a text, or id TAB text, or id TAB voice TAB text.")
    name: str = option(
        "{index:04d}-{slug}", "Of each line's file: {index:04d}, {slug}, {id}, {voice}.", metavar="TEMPLATE"
    )
    voice: str | None = option(
        None, "Who speaks: a name of --list-voices, or a file for SpeechT5 and Bark.", metavar="VOICE"
    )
    list_voices: bool = option(False, "Show the voices of the model and end.")
    language: str | None = option(
        None, "What is spoken, as en, pt-BR or French; else its nearest variety (the voice's).", metavar="CODE"
    )
    rate: float = option(1.0, "Times as fast.", metavar="X")
    pitch: float = option(0.0, "Higher by so many semitones.", metavar="N")
    seed: int = option(0, "Of what a model draws at random.", metavar="N")
    pause: float = option(0.3, "Between sentences; twice that between paragraphs.", metavar="SECONDS")
    loudness: float | None = option(
        None, "Bring each sentence to this level, as -23 (as the model speaks).", metavar="LUFS"
    )
    timestamps: str | None = option(
        None, "Write the times of sentences and words beside the audio: srt or json.", metavar="FORMAT"
    )
    vocoder: str | None = option(
        None, "What makes sound of spectrograms: griffin-lim, or a folder (the model's own).", metavar="NAME"
    )
    from_mel: tuple[str, ...] = option(
        (),
        "Make sound of a mel spectrogram, not of a text: an .npz of 'features --preset vocoder' (repeatable).",
        metavar="FILE",
    )
    temperature: float | None = option(
        None, "How freely a vocoder of ours draws: less takes what is likelier, 0 the likeliest (its own).", metavar="T"
    )


@dataclass(frozen=True)
class CloneOptions:
    """`audiocli clone`."""

    file: tuple[str, ...] = option((), "Say what is in a file, or - (repeatable).", metavar="FILE", short="-f")
    source: tuple[str, ...] = option(
        (), "Not a text but speech: files, folders, - (repeatable).", metavar="INPUT", short="-s"
    )
    reference: tuple[str, ...] = option(
        (), "Speech of one person, whose voice is taken (repeatable).", metavar="FILE", short="-r"
    )
    voice: str | None = option(None, "A voice that --save-voice wrote, instead of --reference.", metavar="FILE")
    save_voice: str | None = option(None, "Keep the voice of the references in a file.", metavar="FILE")
    speaker_model: str | None = option(
        None, "With SpeechT5: the encoder that makes its 512-value speaker vector.", metavar="NAME"
    )
    vocoder: str | None = option(
        None, "With SpeechT5: griffin-lim, or a folder (its own). With knn-vc: its published .pt.", metavar="NAME"
    )
    seed: int = option(0, "Of what a model draws at random.", metavar="N")
    pause: float = option(0.3, "Between sentences; twice that between paragraphs.", metavar="SECONDS")
