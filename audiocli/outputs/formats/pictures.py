"""png, svg and pdf: the plots as a format like any other."""

from collections.abc import Callable, Sequence
from typing import BinaryIO

from ...records import Diarization, Features, Labels
from .objects import Place


def writer(name: str) -> Callable[[Sequence[Features | Labels | Diarization], BinaryIO, Place], None]:
    """The writer of one picture format."""

    def picture(records: Sequence[Features | Labels | Diarization], stream: BinaryIO, place: Place) -> None:
        from ..figures.tables import save  # matplotlib takes longer to import than most runs take

        (record,) = records
        save(record, stream, name)

    return picture
