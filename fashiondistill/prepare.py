"""python -m fashiondistill.prepare: data sets in the published VITON-HD style layout.

In: photos and labels, or nothing (drawn garments). Out: a data set folder, see `data.vitonhd`. `check` looks through
one.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter

from fashiondistill.cli import add_flags, config_from
from fashiondistill.config import CheckConfig, PrepareDrawingsConfig, PreparePhotosConfig
from fashiondistill.data.checks import as_table, check_folder
from fashiondistill.data.drawingset import prepare_drawings
from fashiondistill.data.photoset import prepare_photos


def main(argv: list[str] | None = None) -> int:
    """Command line; returns the exit status (1 = `check` found errors, 2 = bad input)."""
    commands = {
        "photos": ("garment photos and labels -> data set", _photos, (PreparePhotosConfig,)),
        "check": ("look through a data set folder", _check, (CheckConfig,)),
        "drawings": ("drawn garments -> added to a data set", _drawings, (PrepareDrawingsConfig,)),
    }
    parser = argparse.ArgumentParser(prog="python -m fashiondistill.prepare", description=__doc__.splitlines()[0])
    subparsers = parser.add_subparsers(dest="command", required=True)
    for name, (text, _, config_classes) in commands.items():
        command = subparsers.add_parser(name, help=text)
        for config_class in config_classes:
            add_flags(command, config_class)
    arguments = parser.parse_args(argv)
    _, run, config_classes = commands[arguments.command]
    try:
        status = run(*(config_from(arguments, config_class) for config_class in config_classes))
    except (ValueError, FileNotFoundError, ImportError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return status or 0


def _photos(config: PreparePhotosConfig) -> None:
    records, rejects = prepare_photos(config)
    splits, reasons = Counter(r.split for r in records), Counter(r["reason"].rpartition(": ")[2] for r in rejects)
    total = len(records) + len(rejects)
    print(f"accepted {len(records)} of {total} photos: " + ", ".join(f"{n} {s}" for s, n in splits.most_common()))
    print("rejected: " + "; ".join(f"{count} {reason}" for reason, count in reasons.most_common(8)))
    print(f"data set: {config.out} (rejects.csv lists every reason)")


def _check(config: CheckConfig) -> int:
    report = check_folder(config)
    print(as_table(report))
    return 1 if report.num_errors else 0


def _drawings(config: PrepareDrawingsConfig) -> None:
    records = prepare_drawings(config)
    print(
        f"drew {len(records)} garments: "
        + ", ".join(f"{n} {g}" for g, n in Counter(r.garment for r in records).items())
    )


if __name__ == "__main__":
    sys.exit(main())
