"""python -m fashiondistill.prepare: data sets in the published VITON-HD style layout.

In: photos and labels, nothing (drawn garments), or a shop's sales and pictures. Out: a data set folder, see
`data.vitonhd`. `check` looks through one; `columns` brings another shop's export into H&M's layout first.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from functools import partial

import numpy as np

from fashiondistill.cli import add_flags, config_from
from fashiondistill.config import (
    CheckConfig,
    MapColumnsConfig,
    PrepareCaptionsConfig,
    PrepareDrawingsConfig,
    PrepareHmConfig,
    PreparePhotosConfig,
    ProductShotConfig,
)
from fashiondistill.data.checks import as_table, check_folder
from fashiondistill.data.columns import map_columns
from fashiondistill.data.drawingset import describe, prepare_drawings
from fashiondistill.data.hmpictures import Camera
from fashiondistill.data.hmset import prepare_hm
from fashiondistill.data.photoset import prepare_photos
from fashiondistill.data.products import ProductShot, prepare_product_shot
from fashiondistill.data.recaption import prepare_captions


def main(argv: list[str] | None = None) -> int:
    """Command line; returns the exit status (1 = `check` found errors, 2 = bad input)."""
    commands = {
        "photos": ("garment photos and labels -> data set", _photos, (PreparePhotosConfig,)),
        "check": ("look through a data set folder", _check, (CheckConfig,)),
        "drawings": ("drawn garments -> added to a data set", _drawings, (PrepareDrawingsConfig,)),
        "captions": ("captions of prepared photos -> written again", _captions, (PrepareCaptionsConfig,)),
        "hm": (
            "a shop's sales and pictures -> data set of bestsellers",
            _hm,
            (PrepareHmConfig, ProductShotConfig),
        ),
        "columns": ("another shop's export -> H&M's layout", _columns, (MapColumnsConfig,)),
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
    print(f"drew {len(records)} garments: {describe(records)}")


def _captions(config: PrepareCaptionsConfig) -> None:
    print(f"{prepare_captions(config)} captions changed: {config.out}")


def _hm(config: PrepareHmConfig, shot: ProductShotConfig) -> None:
    manifest, is_new = prepare_hm(config, shot, camera=_camera(shot))
    counts = manifest["counts"]
    if not is_new:
        print(f"{config.out} is complete: same options, unchanged files, nothing to do.")
    print(
        f"{counts['rows']:,} sales in {len(manifest['weeks'])} weeks ({manifest['weeks'][0]['week']} to "
        f"{manifest['weeks'][-1]['week']}); {counts['bad_rows']:,} rows could not be used (bad_rows.csv)"
    )
    print(
        f"{counts['bestsellers']:,} bestsellers, {sum(counts['items'].values()):,} in the data set: "
        + ", ".join(f"{number:,} {split}" for split, number in counts["items"].items())
    )
    for split, number in counts["weeks"].items():
        if not number:
            print(f"{split} is empty: no week of the sales falls into it (--train_end, --val_end)")
    print(
        f"left out: {len(manifest['missing_images'])} articles without a picture, "
        f"{len(manifest['rejected_images'])} whose picture could not be prepared"
    )
    print(f"data set: {config.out} (report.html shows it, manifest.json has every count)")


def _columns(config: MapColumnsConfig) -> None:
    mapped = map_columns(config)
    print(
        f"{mapped.num_articles:,} articles, {mapped.num_units:,} units, {mapped.num_pictures:,} pictures: {config.out}"
    )
    for reason, rows in sorted(mapped.left_out.items(), key=lambda entry: -entry[1]):
        print(f"left out: {rows:,} rows, {reason} (bad_rows.csv)")


def _camera(shot: ProductShotConfig) -> Camera:
    """Models only where a flag asks for one: the default needs no torch, and every process would load it."""
    plain = (shot.segmenter, shot.sketcher) == (ProductShotConfig.segmenter, ProductShotConfig.sketcher)
    options = {"min_score": shot.min_shot_score, "keep_picture": shot.keep_picture}
    return Camera(
        shoot=partial(prepare_product_shot, **options) if plain else partial(_shoot_by_model, config=shot),
        describe=partial(_describe_by_model, model=shot.captioner_model) if shot.captioner_model else None,
    )


def _shoot_by_model(image: np.ndarray, category: str, *, config: ProductShotConfig) -> ProductShot:
    from fashiondistill.annotators import prepare_shot  # loads torch

    return prepare_shot(image, category, config)


def _describe_by_model(image: np.ndarray, *, model: str) -> str:
    from fashiondistill.annotators import load_captioner  # loads torch

    return load_captioner(model)(image)


if __name__ == "__main__":
    sys.exit(main())
