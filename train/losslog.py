"""losses.jsonl, kept in memory too, so that a full disk costs no line and a checkpoint can hold the whole.

In: numbers of an update. Out: one JSON line each. Knows nothing of training.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path

from train.files import is_disk_full


class LossLog:
    """losses.jsonl: one line an update, kept in memory too, so that a full disk costs no line."""

    def __init__(self, path: Path | None) -> None:
        self.path, self.lines, self.written = path, [], 0

    def restore(self, text: str) -> None:
        """Go on from a checkpoint's log; what a stopped run wrote after it is dropped."""
        self.lines = text.splitlines(keepends=True)
        if self.path is not None:
            self.path.write_text(text, encoding="utf-8")
        self.written = len(self.lines)

    def add(self, line: Mapping[str, float | int | bool]) -> None:
        """Append a line; JSON has no word for what is not finite, so that becomes null."""
        values = {name: value if math.isfinite(value) else None for name, value in line.items()}
        self.lines.append(json.dumps(values) + "\n")
        if self.path is None:
            return
        try:
            with open(self.path, "a", encoding="utf-8") as handle:
                handle.write("".join(self.lines[self.written :]))
            self.written = len(self.lines)
        except OSError as error:
            if not is_disk_full(error):
                raise

    @property
    def text(self) -> str:
        """The whole log."""
        return "".join(self.lines)
