"""python -m fashiondistill.prepare: data sets in the published VITON-HD style layout.

In: photos and labels, or nothing (drawn garments). Out: a data set folder, see `data.vitonhd`.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter

from fashiondistill.cli import add_flags, config_from
from fashiondistill.config import PrepareDrawingsConfig, PreparePhotosConfig
from fashiondistill.data.drawingset import prepare_drawings
from fashiondistill.data.photoset import prepare_photos

COMMANDS = {"photos": PreparePhotosConfig, "drawings": PrepareDrawingsConfig}


def main(argv: list[str] | None = None) -> int:
    """Command line; returns the exit status (2 = bad input)."""
    parser = argparse.ArgumentParser(prog="python -m fashiondistill.prepare", description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    add_flags(commands.add_parser("photos", help="garment photos and labels -> data set"), PreparePhotosConfig)
    add_flags(commands.add_parser("drawings", help="drawn garments -> added to a data set"), PrepareDrawingsConfig)
    arguments = parser.parse_args(argv)
    try:
        config = config_from(arguments, COMMANDS[arguments.command])
        _report_photos(config) if arguments.command == "photos" else _report_drawings(config)
    except (ValueError, FileNotFoundError, ImportError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def _report_photos(config: PreparePhotosConfig) -> None:
    records, rejects = prepare_photos(config)
    splits, reasons = Counter(r.split for r in records), Counter(r["reason"].rpartition(": ")[2] for r in rejects)
    total = len(records) + len(rejects)
    print(f"accepted {len(records)} of {total} photos: " + ", ".join(f"{n} {s}" for s, n in splits.most_common()))
    print("rejected: " + "; ".join(f"{count} {reason}" for reason, count in reasons.most_common(8)))
    print(f"data set: {config.out} (rejects.csv lists every reason)")


def _report_drawings(config: PrepareDrawingsConfig) -> None:
    records = prepare_drawings(config)
    print(
        f"drew {len(records)} garments: "
        + ", ".join(f"{n} {g}" for g, n in Counter(r.garment for r in records).items())
    )


if __name__ == "__main__":
    sys.exit(main())
