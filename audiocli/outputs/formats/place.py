"""The place that a writer's bytes go to."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    """The name of the output (None: a stream that results share), and whether nothing stands in it yet.

    recording: the name of the input where several share the output; None: it has the output to itself.
    """

    output: str | None
    first: bool = True
    recording: str | None = None
