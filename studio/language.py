"""The page's language. English stands in the modules of `MODULES`; every other language is one file in `locales`.

In: a language's name. Out: the constants of those modules, replaced by the file's, for the whole process; so a language
is chosen before the page is built. A file has a table per module and in it a text per constant, of the same form and
with the same places ({week}) as the English one. Knows nothing of gradio.
"""

from __future__ import annotations

import re
import string
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from studio import (
    blindtexts,
    boardtexts,
    canvastexts,
    cardtexts,
    drawertexts,
    errortexts,
    modeltexts,
    texts,
    trendtexts,
    wordtexts,
)

LOCALES = Path(__file__).parent / "locales"
ENGLISH = "en"
MODULES = (
    texts,
    errortexts,
    boardtexts,
    canvastexts,
    trendtexts,
    drawertexts,
    blindtexts,
    modeltexts,
    cardtexts,
    wordtexts,
)
OPEN = "VOCABULARY"  # may have any keys: words that a shop may use
_NAME = re.compile(r"[a-z]{2,3}(-[A-Za-z]+)?")

Text = str | dict[str, str] | tuple  # of a constant; tuples hold strings, or tuples of strings


def _english_of(module: ModuleType) -> dict[str, Text]:
    constants = {name: value for name, value in vars(module).items() if re.fullmatch(r"[A-Z][A-Z_]*", name)}
    return {name: value for name, value in constants.items() if isinstance(value, str | dict | tuple)}


def _short(module: ModuleType) -> str:
    return module.__name__.rpartition(".")[2]


CATALOGUE = {_short(module): _english_of(module) for module in MODULES}  # module -> constant -> English


def available() -> list[str]:
    """Languages that can be chosen."""
    return [ENGLISH, *sorted(path.stem for path in LOCALES.glob("*.toml"))]


def choose(name: str) -> None:
    """Make the page speak `name` from now on.

    Raises:
        ValueError: for a language without a file, or a file that lacks a text or has one that does not fit.
    """
    spoken = read(name)
    for module in MODULES:
        vars(module).update(spoken[_short(module)])


def read(name: str) -> dict[str, dict[str, Text]]:
    """Module -> constant -> text in a language; raises as `choose` does."""
    if name == ENGLISH:
        return CATALOGUE
    if not _NAME.fullmatch(name) or name not in available():
        raise ValueError(
            f"--language {name} is not usable: there is no file for it in studio/locales. "
            f"Choose one of {', '.join(available())}, or write the file."
        )
    path = LOCALES / f"{name}.toml"
    try:
        found = _tuples(tomllib.loads(path.read_text(encoding="utf-8")))
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"--language {name} is not usable: {path} is not TOML: {error}.") from error
    problems = problems_of(found)
    if problems:
        raise ValueError(f"--language {name} is not usable: {path} does not fit:\n" + "\n".join(problems))
    return found


def problems_of(found: dict) -> list[str]:
    """What a language's texts lack, have too much, or have with other places than English; a line each."""
    lines = []
    for module, constants in CATALOGUE.items():
        table = found.get(module, {})
        lines += [f"[{module}] {one} is unknown" for one in table if one not in constants]
        for constant, english in constants.items():
            if constant != OPEN:
                lines += _differences(f"[{module}] {constant}", english, table.get(constant))
    return lines + [f"[{module}] is unknown" for module in found if module not in CATALOGUE]


def _differences(where: str, english: Text, other: object) -> Iterator[str]:
    if other is None:
        yield f"{where} is missing; in English: {english!r}"
    elif isinstance(english, str):
        if not isinstance(other, str):
            yield f"{where} is no string"
        elif places_of(other) != places_of(english):
            yield f"{where} has the places {places_of(other)}, English has {places_of(english)}"
    elif isinstance(english, dict) and isinstance(other, dict):
        yield from (f"{where}.{key} is unknown" for key in other if key not in english)
        for key, text in english.items():
            yield from _differences(f"{where}.{key}", text, other.get(key))
    elif isinstance(english, tuple) and isinstance(other, tuple) and len(english) == len(other):
        for place, pair in enumerate(zip(english, other, strict=True)):
            yield from _differences(f"{where}[{place}]", *pair)
    else:
        yield f"{where} has another form or length than in English"


def places_of(text: str) -> list[str]:
    """Names of what is filled in, by us or by plotly, in order of the alphabet: ["week"], ["%{y"]."""
    if "%{" in text:
        return sorted(set(re.findall(r"%\{\w+(?:\[\d+\])?", text)))
    try:
        return sorted({name for _, name, _, _ in string.Formatter().parse(text) if name is not None})
    except ValueError as error:  # a brace without its other half
        return [str(error)]


def _tuples(value):  # noqa: ANN001, ANN202 - what TOML holds, with tuples for its lists
    if isinstance(value, list):
        return tuple(_tuples(one) for one in value)
    return {key: _tuples(one) for key, one in value.items()} if isinstance(value, dict) else value
