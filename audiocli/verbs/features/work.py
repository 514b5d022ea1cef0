"""The features runner: inputs in, a record of tables (or of their statistics) out. torch is not imported on this path."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

from ... import audio
from ...inputs.sources import Source, open_audio
from ...kernels.spectral import analyse
from ...options import FeaturesOptions, InputOptions, described, front_end
from ...records import Features, Record, Stats
from ...run import batch
from ...tones.hearing import DEAF, Ears
from .analysis import Analyse, Pass
from .tables import feature_tables

NAMES = ("mean", "std", "min", "max")


@dataclass(frozen=True)
class Runner(batch.Work[Source, Record]):
    """Computes one input after the other, each streamed; calls may overlap on threads."""

    options: FeaturesOptions
    reading: InputOptions
    threads: int = 1  # that share the work on one input
    analyse: Analyse = analyse
    ears: Ears = DEAF

    def __call__(self, batch: list[Source]) -> list[Record]:
        """A record for each input. Raises InputError."""
        return [self._one(source) for source in batch]

    def _one(self, source: Source) -> Record:
        work, n_samples = Pass(self.options, self.threads, self.analyse, self.ears), 0
        with self.open(source) as stream:
            for block in stream.blocks:
                n_samples += block.shape[1]
                work.push(block[0])
        work.finish()
        duration = n_samples / stream.sample_rate
        return record(source, work, duration, stream.source_rate, self.reading, stream.warnings, model=self.ears.names)

    def open(self, source: Source) -> AbstractContextManager[audio.Stream]:
        """The samples that this front end takes: one channel at its rate."""
        return open_audio(source, self.reading, front_end(self.options).sample_rate)


def record(
    source: Source, work: Pass, duration: float, sample_rate: int, reading: InputOptions, warnings: Sequence[str],
    model: str | None = None,
) -> Record:  # fmt: skip
    """The Features, or the Stats of them, of a finished pass over one input."""
    options, tables, status = work.options, feature_tables(work, reading.start), "ok" if duration else "empty"
    short = [kind for kind, table in tables.items() if table.step is not None and not table.n_frames]
    if duration and short:
        status, warnings = (
            "too_short",
            [*warnings, f"{1000 * duration:.3g} ms are too short for a frame of {', '.join(short)}"],
        )
    features = Features(
        path=source.path, duration=duration, sample_rate=sample_rate, task="features", model=model,
        options=described(options), status=status, warnings=tuple(warnings), tables=tables,
    )  # fmt: skip
    return statistics(features) if options.stats else features


def statistics(features: Features) -> Stats:
    """Mean, standard deviation, minimum and maximum of each column over time, by name: "log-mel 440.0 Hz mean"."""
    values: dict[str, float] = {}
    for kind, table in features.tables.items():
        for column, numbers in zip(table.columns, table.moments().T.tolist(), strict=True):
            name = kind if len(table.columns) == 1 else f"{kind} {column}"
            values |= {f"{name} {what}": number for what, number in zip(NAMES, numbers, strict=True)}
    return Stats(
        path=features.path, duration=features.duration, sample_rate=features.sample_rate, task=features.task, model=features.model,
        options=features.options, status=features.status, warnings=features.warnings, values=values,
    )  # fmt: skip
