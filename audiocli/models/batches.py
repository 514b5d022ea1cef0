"""Batches for a model: groups of similar lengths within a budget, and halves of them when memory runs out."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from .. import device

Item = TypeVar("Item")
Result = TypeVar("Result")

AUTO = "auto"
ROOM = 8.0  # GiB of a GPU that an adapter's seconds are meant for; with more or less free memory they grow or shrink


class Batches:
    """Forward passes of a loaded model on `where` (a torch.device).

    `size` (of --batch-size): so many items in each; auto: as many as make `seconds` of audio with their padding. What did not
    fit into the memory once is not tried again.
    """

    def __init__(self, size: str, seconds: float, where: Any) -> None:
        self.size = None if size == AUTO else int(size)
        room = device.free(where)
        self.seconds = seconds if room is None else seconds * room / ROOM

    def run(
        self, items: Sequence[Item], cost: Callable[[Item], float], forward: Callable[[list[Item]], Sequence[Result]],
        *, alike: bool = False,
    ) -> list[Result]:  # fmt: skip
        """The results of `forward` for the items, in their order.

        cost: the seconds of an item. alike: only items of one length go together.
        """
        costs = [cost(item) for item in items]
        left = sorted(range(len(items)), key=costs.__getitem__)
        made: dict[int, Result] = {}
        while left:
            group = left[: self._fitting([costs[n] for n in left], alike)]
            made |= zip(group, self._passed(forward, [items[n] for n in group], costs[group[-1]]), strict=True)
            left = left[len(group) :]
        return [made[n] for n in range(len(items))]

    def _fitting(self, costs: Sequence[float], alike: bool) -> int:
        """The number of the next items, by rising cost, that go together: at least one."""
        for n, cost in enumerate(costs):
            full = n >= self.size if self.size else (n + 1) * cost > self.seconds
            if n and (full or (alike and cost != costs[0])):
                return n
        return len(costs)

    def _passed(
        self, forward: Callable[[list[Item]], Sequence[Result]], items: list[Item], longest: float
    ) -> list[Result]:
        try:
            return list(forward(items))
        except Exception as error:
            if len(items) == 1 or not device.out_of_memory(error):
                raise
        device.release()  # not before the traceback has gone, which holds the tensors
        half = len(items) // 2
        self.seconds = min(self.seconds, half * longest)
        self.size = self.size and min(self.size, half)
        return [item for part in (items[:half], items[half:]) for item in self._passed(forward, part, longest)]
