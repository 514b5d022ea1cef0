"""Work ahead on threads, results in order."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

Result = TypeVar("Result")


def prefetch(
    function: Callable[[Any], Result], items: Iterable[Any], pool: ThreadPoolExecutor, ahead: int
) -> Iterator[Result | None]:
    """Yield function(item) in order, with at most `ahead` calls started but not yet taken.

    None among the items says that the next one may be long in coming: all results are given out first, and then None.
    """
    pending: deque[Future[Result]] = deque()
    for item in items:
        if item is not None:
            pending.append(pool.submit(function, item))
        while len(pending) >= (1 if item is None else ahead):
            yield pending.popleft().result()
        if item is None:
            yield None
    while pending:
        yield pending.popleft().result()
