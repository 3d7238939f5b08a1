"""What a model's folder says about drawing with it, read before the model is loaded.

In: a command line, or a pipeline folder. Out: field -> value of `config.DrawingDefaults`, those that the folder says.
Knows nothing of torch.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from dataclasses import fields
from pathlib import Path

from fashiondistill.config import DrawingDefaults

INDEX = "model_index.json"


def said_defaults(folder: Path) -> dict[str, int | float]:
    """Steps, guidance and live steps of a pipeline folder; empty where it says none or is no such folder.

    Raises:
        ValueError: if its model_index.json cannot be read, or says what cannot be.
    """
    path = folder / INDEX
    if not path.is_file():
        return {}
    try:
        settings = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"model: {path} is damaged ({error}). Restore the file.") from error
    said = {entry.name: settings[entry.name] for entry in fields(DrawingDefaults) if settings.get(entry.name)}
    try:
        DrawingDefaults.of(said)
    except (ValueError, TypeError) as error:
        raise ValueError(f"model: {path} is not usable ({error}). Restore the file.") from error
    return said


def flag_defaults(flag: str, default: str) -> Callable[[Sequence[str] | None], dict[str, int | float]]:
    """For `cli.run_command`: what the folder says that `flag` names on a command line.

    Args:
        flag: without dashes.
        default: the folder where the flag is not given; "" for none.
    """

    def read(argv: Sequence[str] | None) -> dict[str, int | float]:
        parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
        parser.add_argument(f"--{flag}", default=default)
        folder = vars(parser.parse_known_args(argv)[0])[flag]
        return said_defaults(Path(folder)) if folder else {}

    return read
