"""python -m benchmarks.evaluation: pictures scored a second by train.evaluate, beside one at a time.

In: a number of pictures. Out: medians and ranges in turns. Both ways read the same JPEG files of 512 x 384 with one
reference each and the same CLIP, and give the same scores, or the benchmark ends with an error. One at a time = batch
size 1, a reference and a caption embedded anew for each picture, as the published script does for each of its pictures.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

from fashiondistill.config import STARTER
from fashiondistill.data.drawings import TEMPLATES, draw_garment
from fashiondistill.images import fit, read_image
from fashiondistill.scoring import ClipScorer
from train.evaluate import Embedder, score
from train.predictions import Entry


def make_entries(folder: Path, count: int) -> list[Entry]:
    """Drawn garments, ten to a reference."""
    colours, entries = ("red", "navy", "beige", "green"), []
    for number in range(count):
        paths = (folder / f"{number:05d}.jpg", folder / f"reference_{number // 10:05d}.jpg")
        for path in paths:
            if not path.is_file():
                colour = colours[number % len(colours)]
                drawn = draw_garment(TEMPLATES["top5gub"], colours=(colour,), pattern="plain", seed=number)
                Image.fromarray(drawn.image).save(path, quality=90)
        caption = f"{colours[number % len(colours)]} plain t-shirt"
        entries.append(Entry(paths[0], "top5gub", caption, (paths[1],)))
    return entries


def one_at_a_time(entries: list[Entry], scorer: ClipScorer) -> list[tuple[float, float]]:
    """CLIP-I and CLIP-T of each, nothing shared."""
    found = []
    for entry in entries:
        both = [fit(np.asarray(read_image(path, field="picture"))) for path in (entry.path, *entry.references)]
        image, reference = (scorer.embed_images([picture])[0] for picture in both)
        found.append((float(image @ reference), float(image @ scorer.embed_texts([entry.caption])[0])))
    return found


def main() -> None:
    """Print seconds, pictures a second and the ratio."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.evaluation", description=__doc__.splitlines()[0])
    parser.add_argument("--num_pictures", type=int, default=200, help="pictures to score (default: 200)")
    parser.add_argument("--batch_size", type=int, default=64, help="of train.evaluate (default: 64)")
    parser.add_argument("--repeats", type=int, default=3, help="runs of each way (default: 3)")
    parser.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda"), help="where CLIP runs")
    parser.add_argument("--clip", default=str(STARTER / "clip"), help="folder of the CLIP (default: the bundled one)")
    asked = parser.parse_args()
    scorer = ClipScorer.load(Path(asked.clip), asked.device)
    with tempfile.TemporaryDirectory() as folder:
        entries = make_entries(Path(folder), asked.num_pictures)
        seconds: dict[str, list[float]] = {"one at a time": [], "train.evaluate": []}
        for _ in range(asked.repeats):
            began = time.perf_counter()
            single = one_at_a_time(entries, scorer)
            seconds["one at a time"].append(time.perf_counter() - began)
            began = time.perf_counter()
            rows, _ = score(entries, Embedder(scorer, asked.batch_size), "CLIP")
            seconds["train.evaluate"].append(time.perf_counter() - began)
            batched = [(row["clip_i_score"], row["clip_t_score"]) for row in rows]
            if not np.allclose(single, batched, atol=1e-3):
                raise SystemExit("the two ways give different scores")
    for name, values in seconds.items():
        rate = asked.num_pictures / statistics.median(values)
        print(f"{name:16} {statistics.median(values):7.2f} s ({min(values):.2f} to {max(values):.2f}) {rate:8.1f}/s")
    ratio = statistics.median(seconds["one at a time"]) / statistics.median(seconds["train.evaluate"])
    print(f"ratio {ratio:.1f}, device {scorer.device}, n = {asked.num_pictures}, batch {asked.batch_size}")


if __name__ == "__main__":
    main()
