"""The files in a folder: the one way in which folders are walked."""

import os
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path


def walk(
    root: str, wanted: Callable[[str], bool], problems: list[OSError], *, leave_out: Path | None = None
) -> Iterator[str]:
    """Paths of the files below root whose path from there is wanted; hidden names are skipped.

    Links to folders are followed after all else, so that a file is named by its own folder where that is below root, too; each
    real folder is walked once, which cuts loops. A link that leads nowhere is yielded if its name is wanted, or might be a
    folder's. Pipes and devices are skipped. leave_out: a folder below root that is not walked. problems: gets the folders
    that cannot be read.
    """
    # The root itself may be what is left out: results then stand beside their inputs.
    walked = {os.path.realpath(leave_out)} - {os.path.realpath(root)} if leave_out else set()
    waiting = deque([root])
    while waiting:
        for folder, folders, names in os.walk(waiting.popleft(), onerror=problems.append):
            real = os.path.realpath(folder)
            folders[:] = [] if real in walked else sorted(name for name in folders if name[0] != ".")
            if real in walked:
                continue
            walked.add(real)
            waiting += filter(os.path.islink, (os.path.join(folder, name) for name in folders))
            paths = (os.path.join(folder, name) for name in names if name[0] != ".")
            yield from (path for path in paths if _is_wanted(path, root, wanted))


def _is_wanted(path: str, root: str, wanted: Callable[[str], bool]) -> bool:
    if not os.path.exists(path):
        return wanted(os.path.relpath(path, root)) or not os.path.splitext(path)[1]
    return os.path.isfile(path) and wanted(os.path.relpath(path, root))
