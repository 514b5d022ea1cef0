"""Options of `audiocli train`."""

from dataclasses import dataclass

from .common import device_option, jobs_option, precision_option, quiet_option
from .option import option


@dataclass(frozen=True)
class TrainOptions:
    """`audiocli train`; None stands for what the recipe says."""

    data: tuple[str, ...] = option(
        (),
        "A folder (the folders in it are labels), a TSV, CSV or JSONL with path and label, text, speaker or rttm, or "
        "LABEL=either (repeatable).",
        metavar="DATA",
    )
    output: str | None = option(None, "The folder that the model is written to.", metavar="FOLDER", short="-o")
    base: str | None = option(None, "A model's folder to go on from (fine-tuning).", metavar="FOLDER", flags="--from")
    valid: str | None = option(
        None,
        "What is held out to choose the best epoch by: COLUMN=VALUE,VALUE, a share, or none (a tenth, at random).",
        metavar="WHICH",
    )
    test: str | None = option(
        None, "What is held out to score once at the end: the same words (none).", metavar="WHICH"
    )
    epochs: int | None = option(None, "Times through the data, at most.", metavar="N")
    minutes: float | None = option(None, "Time for training, at most; the rate falls to 0 within it.", metavar="N")
    batch_size: int | None = option(None, "Examples in a step.", metavar="N")
    rate: float | None = option(None, "The highest learning rate.", metavar="RATE")
    patience: int | None = option(None, "End after so many epochs without a better score, 0 for never.", metavar="N")
    seed: int = option(0, "Of everything that is left to chance.", metavar="N")
    set: tuple[str, ...] = option((), "An option of the recipe's own (repeatable).", metavar="NAME=VALUE")
    licence: str | None = option(None, "The data's licence and source, for the card.", metavar="TEXT")
    resume: bool = option(False, "Go on from the last epoch of a run that was stopped.", section="run")
    force: bool = option(False, "Write into a folder that has something in it.", section="run")
    jobs: int | None = jobs_option()
    device: str = device_option()
    precision: str = precision_option()
    quiet: bool = quiet_option()
