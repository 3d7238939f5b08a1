"""The same work on many items, on all cores. Knows nothing of the work.

New processes are spawned, not forked: a fork of a process that has used OpenCV's threads hangs in the child's first
call (measured with OpenCV 5.0 on Linux; Python's own default leaves fork behind with 3.14).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import TypeVar

import cv2

Item, Result = TypeVar("Item"), TypeVar("Result")


def run_all(function: Callable[[Item], Result], items: Sequence[Item], *, num_workers: int) -> Iterator[Result]:
    """Yield `function(item)` in the order of the items.

    Args:
        function: of a module, so that other processes can import it.
        items: what it is called with.
        num_workers: processes; 0 = one per core, 1 = this process.
    """
    count = min(num_workers or os.cpu_count() or 1, len(items))
    if count <= 1:
        yield from map(function, items)
        return
    with ProcessPoolExecutor(
        count, mp_context=get_context("spawn"), initializer=cv2.setNumThreads, initargs=(1,)
    ) as pool:  # every core has a process, so each keeps to one thread
        yield from pool.map(function, items, chunksize=8)
