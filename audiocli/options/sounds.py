"""Options of the verbs about any sound: naming it, cleaning it, composing it."""

from dataclasses import dataclass

from .formats import PICTURES, either
from .option import option

INSTRUMENTS = ("choir", "organ", "strings", "piano")
MUSIC_SECONDS, LONGEST_MUSIC = 30.0, 3_600.0


@dataclass(frozen=True)
class ClassifyOptions:
    """`audiocli classify`; None stands for what the model says."""

    top: int = option(3, "Labels to report for each input.", metavar="N")
    threshold: float | None = option(
        None,
        "Leave out what is less likely (0; with --events where an event begins: 0.5, yamnet's 0.15).",
        metavar="P",
    )
    labels: str | None = option(
        None,
        "Choose among these only: a file with one a line, or 'dog,rain'. CLAP takes any words, others their own.",
        metavar="LABELS",
    )
    prompt_template: str = option(
        "This is a sound of {}.", "The sentence that CLAP compares with; a label takes the place of {}.", metavar="TEXT"
    )
    events: bool = option(False, "When each sound begins and ends.")
    window: float | None = option(
        None, "What is judged at once (the model's own; with --events at most 1).", metavar="SECONDS"
    )
    hop: float | None = option(
        None, "From one window to the next (a window, yamnet's 0.48; with --events 0.1).", metavar="SECONDS"
    )
    smooth: float = option(1.0, "Of the probabilities over time, before events are found.", metavar="SECONDS")
    gap: float = option(1.0, "Events of one label with a shorter pause between them are one.", metavar="SECONDS")
    shortest: float = option(0.2, "Shorter events are left out.", metavar="SECONDS")
    plot: str | None = option(
        None, f"Also draw the probabilities under the spectrogram: {', '.join(PICTURES)}; with -o.", metavar="FORMAT"
    )


@dataclass(frozen=True)
class DenoiseOptions:
    """`audiocli denoise`."""

    strength: float | None = option(
        None, "0 leaves the sound as it is, 1 takes all of the noise that is found (the model's best).", metavar="S"
    )
    stream: bool = option(
        False,
        "Standard input to standard output as it comes, in the format that came in (WAV, AIFF, AU, CAF, raw PCM), "
        "or as WAV if that is compressed; with INPUT -. "
        "At its own rate a model is late by 30 ms (rnnoise), 32 ms (enhancer, spectral), 40 ms (deepfilternet3) or 10 ms "
        "(conv-enhancer); "
        "resampling adds up to 0.1 s, from 8 kHz up to 0.3 s.",
    )
    report: bool = option(False, "Measure level and signal-to-noise ratio (estimated) before and after.")
    dnsmos: str | None = option(
        None, "The DNSMOS P.835 model (sig_bak_ovr.onnx): its opinions in the report, too.", metavar="FILE"
    )
    json: bool = option(False, "A JSONL record of each file on standard output, once the file is written.")


@dataclass(frozen=True)
class MusicOptions:
    """`audiocli generate-music`; None for temperature, top_k and top_p: the model's."""

    seconds: float | None = option(
        None, f"How long, up to an hour ({MUSIC_SECONDS:g}, or as long as the melody).", metavar="SECONDS"
    )
    count: int = option(1, "How many, each with a seed of its own.", metavar="N")
    seed: int = option(0, "The same one gives the same music; --count counts on from it.", metavar="N")
    temperature: float | None = option(
        None, "Below 1 more usual, above 1 wilder, 0 the likeliest (the model's).", metavar="T"
    )
    top_k: int | None = option(None, "Choose among the N likeliest.", metavar="N")
    top_p: float | None = option(None, "Choose among the likeliest that have this probability together.", metavar="P")
    guidance: float = option(3.0, "How closely MusicGen keeps to the prompt.", metavar="SCALE")
    tempo: float | None = option(None, "Quarters a minute (the primer's or the melody's, else 80).", metavar="BPM")
    key: str | None = option(None, 'As in "D minor" (default: random).', metavar="KEY")
    primer: str | None = option(None, "Go on from this four-part MIDI file.", metavar="FILE.mid")
    melody: str | None = option(
        None, "Harmonise this (MIDI, or a recording of one voice); for MusicGen Melody: follow it.", metavar="FILE"
    )
    instrument: str = option("choir", f"{either(INSTRUMENTS)}.", metavar="NAME")
    soundfont: str | None = option(None, "Play it with the instruments of this file.", metavar="FILE.sf2")
    stems: bool = option(False, "A file for each voice, too.")
    plot: str | None = option(None, f"Draw a piano roll beside the file: {either(PICTURES)}.", metavar="FORMAT")
    lines: str | None = option(None, "One piece for each line of this file of prompts.", metavar="FILE")
