"""The runners of `audiocli verify --recording`: tracks into a database, and which one an input is a piece of."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ....inputs.sources import Source, open_audio
from ....options import InputOptions
from ....outputs.sinks import Claim
from ....records import Failure, Recognised, Record
from ....run import batch
from .fingerprint import HOP, N_FFT, SAMPLE_RATE, Fingerprint, Floats, fingerprint
from .index import Index, Track
from .search import search

SHORTEST = 1.0  # s of a query: less has too few peaks
LONGEST = 60.0  # s of a query that are listened to
ENOUGH = (N_FFT + 60 * HOP) / SAMPLE_RATE  # s of a track that has any pairs


@dataclass(frozen=True, kw_only=True)
class Printed(Record):
    """The fingerprint of a track."""

    print: Fingerprint


@dataclass(frozen=True)
class Indexing(batch.Work[Source, Printed]):
    """A runner that makes fingerprints, block by block."""

    reading: InputOptions

    def __call__(self, batch: list[Source]) -> list[Printed]:
        """The fingerprints of the inputs. Raises InputError."""
        return [self._printed(source) for source in batch]

    def _printed(self, source: Source) -> Printed:
        with open_audio(source, self.reading, SAMPLE_RATE) as stream:
            found = fingerprint(block[0] for block in stream.blocks)
            short = found.duration < ENOUGH
            more = ("too short or too quiet to be found again",) if short or not len(found.hashes) else ()
            return Printed(
                path=source.path, duration=found.duration, sample_rate=stream.source_rate, task="verify",
                print=found, warnings=(*stream.warnings, *more),
            )  # fmt: skip


@dataclass(frozen=True)
class IntoIndex:
    """A sink: each track is in the database when the next one comes."""

    index: Index

    def claim(self, source: Source) -> Claim | None:
        return None if self.index.has(source) else Claim(source)

    def prepare(self, claim: Claim, record: Record) -> None:
        """SQLite has one writer."""

    def commit(self, claim: Claim, record: Record) -> None:
        assert isinstance(record, Printed)
        self.index.add(claim.source, record.print)

    def fail(self, claim: Claim | None, failure: Failure) -> None:
        """A track that cannot be read is in no index."""

    def close(self, complete: bool = True) -> None:
        self.index.close()


@dataclass(frozen=True)
class Query:
    """The beginning of an input, samples [n] at SAMPLE_RATE."""

    source: Source
    samples: Floats
    source_rate: int  # Hz
    duration: float  # s, of all of it
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class Asking(batch.Work[Query, Recognised]):
    """A runner that looks inputs up."""

    reading: InputOptions
    known: Sequence[Track]
    options: dict[str, Any]

    def read(self, source: Source) -> Query:
        """The beginning of an input, its rate and its length. Raises InputError."""
        blocks, length = [], 0
        with open_audio(source, self.reading, SAMPLE_RATE) as stream:
            for block in stream.blocks:
                if length < LONGEST * SAMPLE_RATE:
                    blocks.append(block[0])
                length += block.shape[1]
        samples = np.concatenate(blocks)[: int(LONGEST * SAMPLE_RATE)] if blocks else np.zeros(0, np.float32)
        return Query(source, samples, stream.source_rate, length / SAMPLE_RATE, tuple(stream.warnings))

    def __call__(self, batch: list[Query]) -> list[Recognised]:
        """What the inputs are pieces of."""
        return [self._recognised(query) for query in batch]

    def _recognised(self, query: Query) -> Recognised:
        samples, duration, warnings = query.samples, query.duration, query.warnings
        status, found = "ok", dict[str, Any]()
        if len(samples) < SHORTEST * SAMPLE_RATE:
            status = "too_short"
            warnings = (*warnings, f"cannot decide: {duration:.1f} s, and {SHORTEST:g} s are the least")
        elif not np.abs(samples).max(initial=0.0) > 0.0:
            status, warnings = "silent", (*warnings, "cannot decide: there is only silence")
        else:
            best, *others = search(samples, self.known)
            if best.found:
                found = {"track": best.track.path, "offset": round(best.offset, 3)}
                likely = [one for one in (best, *others) if one.found]
                found["candidates"] = tuple(
                    (one.track.path, round(one.offset, 3), round(one.confidence, 4)) for one in likely
                )
            found |= {"confidence": round(best.confidence, 4), "hashes": best.hashes}
        return Recognised(
            path=query.source.path, duration=duration, sample_rate=query.source_rate, task="verify", model="constellation",
            options=self.options, status=status, warnings=warnings, **found,
        )  # fmt: skip
