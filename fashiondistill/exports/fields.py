"""Values out of a JSON text that nobody vouches for: each is checked for type, length and range when it is read.

In: text. Out: plain values. Errors name the field, what it held and the remedy.
"""

from __future__ import annotations

import json
import math
import reprlib

REMEDY = "Choose a PNG that this studio saved, as it was saved."


class Fields:
    """One JSON object; `where` is the path that opens the names in messages ("" for the outermost).

    Raises:
        ValueError: from every method, naming the field.
    """

    def __init__(self, values: object, where: str = "") -> None:
        if not isinstance(values, dict):
            raise ValueError(f"design file: {where.rstrip('.') or 'its text'} is no JSON object. {REMEDY}")
        self._values, self._where = values, where

    @classmethod
    def parse(cls, text: str, *, limit: int) -> Fields:
        """Read at most `limit` characters of JSON."""
        if len(text) > limit:
            raise ValueError(
                f"design file: its text has {len(text):,} characters, at most {limit:,} are read. {REMEDY}"
            )
        try:
            return cls(json.loads(text))
        except (ValueError, RecursionError) as error:
            if str(error).startswith("design file"):
                raise
            raise ValueError(f"design file: its text is damaged ({reprlib.repr(str(error))}). {REMEDY}") from error

    def __getitem__(self, name: str) -> object:
        if name not in self._values:
            raise ValueError(f"design file: {self._where}{name} is missing. {REMEDY}")
        return self._values[name]

    def names(self) -> set[str]:
        """All names of the object."""
        return set(self._values)

    def inner(self, name: str) -> Fields:
        """An object within the object."""
        return Fields(self[name], f"{self._where}{name}.")

    def text(self, name: str, *, longest: int) -> str:
        """A string of at most `longest` characters that can be written as UTF-8."""
        return self._text(name, self[name], longest)

    def texts(self, name: str, *, longest: int, most: int) -> tuple[str, ...]:
        """A list of at most `most` strings."""
        value = self[name]
        if not isinstance(value, list) or len(value) > most:
            self._refuse(name, value, f"a list of at most {most} texts")
        return tuple(self._text(f"{name}[{place}]", one, longest) for place, one in enumerate(value))

    def whole(self, name: str, *, low: int, high: int) -> int:
        """A whole number from `low` to `high`."""
        value = self[name]
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            self._refuse(name, value, f"a whole number from {low} to {high}")
        return value

    def number(self, name: str, *, low: float, high: float) -> float:
        """A finite number from `low` to `high`."""
        value = self[name]
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            self._refuse(name, value, f"a number from {low} to {high}")
        if not low <= value <= high:
            self._refuse(name, value, f"a number from {low} to {high}")
        return float(value)

    def _text(self, name: str, value: object, longest: int) -> str:
        if not isinstance(value, str) or len(value) > longest:
            self._refuse(name, value, f"a text of at most {longest} characters")
        try:
            value.encode()
        except UnicodeEncodeError:
            self._refuse(name, value, "a text of whole characters")
        return value

    def _refuse(self, name: str, value: object, expected: str) -> None:
        raise ValueError(f"design file: {self._where}{name} is {reprlib.repr(value)}, not {expected}. {REMEDY}")
