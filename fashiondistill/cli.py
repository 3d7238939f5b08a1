"""Dataclass -> flags -> dataclass -> run.json, so that each default has one home and each run leaves its settings.

In: config dataclasses made with `config.option`. Out: argparse parsers and filled configs.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import platform
import sys
import typing
from collections.abc import Callable, Mapping
from importlib import metadata
from pathlib import Path

RECORDED_PACKAGES = (
    "torch",
    "diffusers",
    "transformers",
    "open_clip_torch",
    "numpy",
    "opencv-python-headless",
    "polars",
)


def add_flags(
    parser: argparse.ArgumentParser, config_class: type, defaults: Mapping[str, object] | None = None
) -> None:
    """Add one flag per field of `config_class`; names, types and defaults come from the field.

    Args:
        defaults: field -> value that takes the place of its default; of other fields they are left alone.
    """
    hints = typing.get_type_hints(config_class)
    for entry in dataclasses.fields(config_class):
        options = dict(entry.metadata)
        text = options.pop("help", "")
        if options.pop("positional", False):
            parser.add_argument(entry.name, help=text, **options)
            continue
        if hints[entry.name] is bool:
            options["action"] = argparse.BooleanOptionalAction
        elif "nargs" in options:
            options["type"] = typing.get_args(hints[entry.name])[0]
        else:
            options["type"] = hints[entry.name]
        required = entry.default is dataclasses.MISSING
        if required:
            options["required"] = True
        else:
            options["default"] = (defaults or {}).get(entry.name, entry.default)
            text = f"{text} (default: {options['default']})"
        parser.add_argument(f"--{entry.name}", help=text.replace("%", "%%"), **options)


def config_from(arguments: argparse.Namespace, config_class: type):  # noqa: ANN201 - returns config_class
    """Fill `config_class` from parsed flags; its own checks raise ValueError."""
    names = [entry.name for entry in dataclasses.fields(config_class)]
    values = {name: getattr(arguments, name) for name in names}
    return config_class(**{name: tuple(v) if isinstance(v, list) else v for name, v in values.items()})


def run_command(
    argv: list[str] | None,
    run: Callable[..., str | None],
    *config_classes: type,
    prog: str,
    description: str,
    defaults: Callable[[list[str] | None], Mapping[str, object]] | None = None,
) -> int:
    """A command line of one action: flags -> configs -> `run(*configs)`; prints what it returns.

    Args:
        defaults: command line -> defaults for `add_flags`, where they depend on another flag.

    Returns:
        The exit status: 0, or 2 after one line on stderr for bad input (ValueError, FileNotFoundError).
    """
    parser = argparse.ArgumentParser(prog=prog, description=description)
    try:
        found = defaults(argv) if defaults is not None else None
        for config_class in config_classes:
            add_flags(parser, config_class, found)
        arguments = parser.parse_args(argv)
        report = run(*(config_from(arguments, config_class) for config_class in config_classes))
    except (ValueError, FileNotFoundError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    if report:
        print(report)
    return 0


def write_run(folder: Path, *configs: object) -> None:
    """Write run.json: settings of the run, versions and machine."""
    settings = {type(config).__name__: dataclasses.asdict(config) for config in configs}
    record = {
        "settings": settings,
        "versions": versions(),
        "python": platform.python_version(),
        "machine": platform.platform(),
    }
    (folder / "run.json").write_text(json.dumps(record, indent=2, default=str) + "\n", encoding="utf-8")


def versions() -> dict[str, str]:
    """Package -> version, of those that can change a result."""
    return {name: metadata.version(name) for name in RECORDED_PACKAGES if _installed(name)}


def _installed(name: str) -> bool:
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return True
