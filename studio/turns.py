"""Whose turn it is at the model, and how long that will be: a line of requests, served in the order of arrival.

In: the denoising steps of each request. Out: how many requests are ahead, and their time as measured on this machine
since the start. Not gradio's own queue, which holds a request back before any code of ours runs, so that it could
neither say where it stands nor be cancelled, and which counts every request as equally long. Knows nothing of pages.
"""

from __future__ import annotations

import statistics
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

POLL = 0.5  # seconds after which a request that waits says anew where it stands, or sees that it was cancelled
NUM_PACES = 5  # finished requests whose seconds per step count: the machine may be busier now than an hour ago


class LineFull(ValueError):
    """As many requests wait as may."""


@dataclass(frozen=True)
class Waiting:
    """Where a request stands.

    Attributes:
        ahead: requests before it, the one that is being drawn among them.
        seconds: what they will take; None until a step was measured.
    """

    ahead: int
    seconds: float | None


class Turns:
    """The line. `most`: requests that may wait behind the one that is drawn."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._changed = threading.Condition()
        self._line: list[Turn] = []  # the first one has the model
        self._paces: deque[float] = deque(maxlen=NUM_PACES)  # seconds per step of finished requests

    @contextmanager
    def take(self, num_steps: int) -> Iterator[Turn]:
        """Stand in the line until the end of the block, whether the turn came or not.

        Args:
            num_steps: of all candidates together.

        Raises:
            LineFull: when `most` requests wait already.
        """
        turn = Turn(self, num_steps)
        with self._changed:
            if len(self._line) > self.most:
                raise LineFull(f"{len(self._line) - 1} requests wait already")
            self._line.append(turn)
        try:
            yield turn
        finally:
            with self._changed:
                self._line.remove(turn)
                self._changed.notify_all()

    def _has_come(self, turn: Turn) -> bool:
        return self._line[0] is turn

    def _waiting(self, turn: Turn) -> Waiting:
        ahead = self._line[: self._line.index(turn)]
        pace = statistics.median(self._paces) if self._paces else ahead[0].pace() if ahead else None
        steps = sum(max(0, one.num_steps - one.num_done) for one in ahead)
        return Waiting(len(ahead), None if pace is None else pace * steps)


class Turn:
    """A place in the line; `Turns.take` makes them."""

    def __init__(self, turns: Turns, num_steps: int) -> None:
        self.num_steps, self.num_done = num_steps, 0
        self._turns, self._started = turns, 0.0

    def wait(self, seconds: float) -> bool:
        """Whether the turn has come, after at most `seconds`."""
        with self._turns._changed:
            come = self._turns._changed.wait_for(lambda: self._turns._has_come(self), seconds)
        if come:
            self._started = time.monotonic()
        return come

    def until_come(self) -> Iterator[Waiting]:
        """Where it stands, now and every `POLL` seconds, until the turn has come."""
        patience = 0.0
        while not self.wait(patience):
            yield self.waiting()
            patience = POLL

    def begin(self) -> None:
        """Its steps begin now: what came before them, such as loading a model, is no part of its pace."""
        self._started = time.monotonic()

    def waiting(self) -> Waiting:
        """Where it stands now."""
        with self._turns._changed:
            return self._turns._waiting(self)

    def done(self, num_done: int, num_steps: int) -> None:
        """So many steps are done, of so many: a variation takes fewer than it was announced with."""
        self.num_done, self.num_steps = num_done, num_steps

    def finished(self) -> None:
        """All steps are done, and what follows them: its pace is what the next ones are told."""
        with self._turns._changed:
            self._turns._paces.append((time.monotonic() - self._started) / self.num_steps)

    def pace(self) -> float | None:
        """Seconds per step so far; None before the first."""
        return (time.monotonic() - self._started) / self.num_done if self.num_done else None
