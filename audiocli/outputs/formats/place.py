"""Where a writer's bytes go."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    """The name of the output (None: a stream that results share), and whether nothing stands in it yet.

    recording: what the input is called where several share the output; None: it has the output to itself.
    """

    output: str | None
    first: bool = True
    recording: str | None = None
