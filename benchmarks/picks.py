"""python -m benchmarks.picks: does training on a designer's picks move held-out designs towards the designer's taste?

In: a pipeline folder, a judge (`train.starter.judge`), a data set for the anchor. Out: OUT/store (a studio's store with
the picks), OUT/dpo (the trained model), OUT/report.json, report.md and sheet.jpg. The designer is simulated: of the
candidates that a request draws, dark and plain ones win, always. Prompts name the garment only, so that colour and
pattern are the model's to choose. Held-out garments have sketches and seeds that nobody picked on; three kinds were
never picked on at all. The judge is another CLIP than any that training sees, and reads words, not pixels. What is
picked and trained is not picked and trained again.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import shlex
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from PIL import Image

from benchmarks.picksreport import markdown, words_of
from fashiondistill.cli import run_command, versions
from fashiondistill.config import GROUND, STARTER, GenerateConfig, option, require
from fashiondistill.data.drawings import KINDS, draw_garment
from fashiondistill.design import Design, DesignRequest, ScoredDesign
from fashiondistill.diffusion.loading import load_pipeline
from fashiondistill.diffusion.noise import candidate_noise
from fashiondistill.diffusion.pipeline import GarmentPipeline
from fashiondistill.diffusion.repaint import keep_outside
from fashiondistill.images import tile
from fashiondistill.scoring import ClipScorer, clip_within
from fashiondistill.store import Query, Store
from fashiondistill.store.designs import FAR_FROM_GROUND, Origin
from train import dpo
from train.hardware import hardware
from train.intervals import NUM_RESAMPLES, summarise
from train.settings import DpoConfig

WEEK = "2020-W10"  # ranks play no part here, so any will do
USER = hashlib.sha256(b"benchmarks.picks").hexdigest()[:32]
HELD_OUT = 100_000  # seeds of held-out sketches begin here
PICKED = ("t-shirt", "trousers", "dress", "camisole", "handbag", "scarf", "boxer shorts")
NEVER_PICKED = (
    "skirt",
    "shoes",
    "tote bag",
)  # of these only held-out sketches are drawn; the rest is too thin to judge
LIKED, DISLIKED = ("black plain", "navy plain", "charcoal plain"), ("white plain", "yellow plain", "white striped")
SAVE_STEPS = 100  # updates that a kill costs at most
MOST_LOSS = 0.10  # of diversity, issue 7
SHOWN = 12  # requests on the sheet


@dataclass(frozen=True)
class PicksConfig:
    """Sizes of the proof; training flags are those of train.dpo."""

    out: str = option("", "folder to write to; the same command goes on where it stopped")
    dataset_path: str = option("", "data set in the published layout, for the anchor on real images")
    judge: str = option("", "folder of train.starter.judge, or its clip/ (open_clip layout)")
    model: str = option(str(STARTER), "pipeline folder to start from")
    num_picks: int = option(200, "picks of the simulated designer")
    num_candidates: int = option(4, "candidates of each request")
    num_held_out: int = option(60, "held-out sketches")
    num_inference_steps: int = option(6, "denoising steps of what is drawn")
    max_train_steps: int = option(400, "updates of train.dpo")
    batch_size: int = option(16, "pairs, and real images, of a micro-batch")
    gradient_accumulation_steps: int = option(1, "micro-batches of an update")
    learning_rate: float = option(1e-5, "of train.dpo")
    ema_decay: float = option(0.98, "of train.dpo; its own default averages over more updates than there are here")
    dpo_beta: float = option(0.0, "of train.dpo; 0 = calibrated")
    anchor_weight: float = option(0.1, "of train.dpo")
    image_size: tuple[int, ...] = option((512, 384), "height and width to train at", nargs=2)
    num_workers: int = option(0, "processes that load the anchor's samples; 0 = this one, which holds them in memory")
    seed: int = option(0, "of training; sketches and noise are always the same")
    device: str = option("auto", "where it runs", choices=("auto", "cpu", "cuda"))

    def __post_init__(self) -> None:
        for name in ("out", "dataset_path", "judge", "model"):
            require(bool(getattr(self, name)), name, repr(getattr(self, name)), "give a folder.")
        for name in ("num_picks", "num_held_out"):
            require(getattr(self, name) >= 1, name, getattr(self, name), "choose at least 1.")
        require(2 <= self.num_candidates <= 8, "num_candidates", self.num_candidates, "choose 2 to 8.")


def request_of(kind: str, seed: int, config: PicksConfig) -> DesignRequest:
    """A drawn sketch with the garment's name as the only words."""
    drawn = draw_garment(kind, colours=("grey",), pattern="plain", seed=seed)
    settings = GenerateConfig(num_candidates=config.num_candidates, num_inference_steps=config.num_inference_steps)
    sketch = drawn.sketch.astype(np.float32) / 255
    return DesignRequest(KINDS[kind].category, WEEK, kind, sketch, seed=seed, config=settings)


def taste(image: np.ndarray) -> float:
    """How dark and plain the garment of a uint8 picture [H, W, 3] is: higher is liked more.

    Darkness is 1 - the mean of CIELAB's L / 100; what is subtracted is the spread of colour within the garment, where
    strokes and folds (blurred away over 4 pixels) count little. The weight of 0.02 makes a spread of 10 as bad as 20 L.
    """
    garment = np.abs(image.astype(np.int16) - GROUND).max(axis=2) > FAR_FROM_GROUND
    if not garment.any():
        return -1.0
    blurred = cv2.GaussianBlur(image, (0, 0), 4).astype(np.float32) / 255
    lab = cv2.cvtColor(blurred, cv2.COLOR_RGB2LAB)[cv2.erode(garment.astype(np.uint8), np.ones((15, 15))) > 0]
    if not len(lab):
        lab = cv2.cvtColor(blurred, cv2.COLOR_RGB2LAB)[garment]
    return float(1 - lab[:, 0].mean() / 100 - 0.02 * np.linalg.norm(lab.std(axis=0)))


def make_picks(config: PicksConfig, pipeline: GarmentPipeline, folder: Path) -> int:
    """Fill a store with requests and one heart on each, as a designer does on the page; returns the number of picks."""
    store = Store.open(folder)
    store.welcome(USER)
    done = store.designs.count(USER, Query(show="favourites"))
    for number in range(done, config.num_picks):
        asked = request_of(PICKED[number % len(PICKED)], number, config)
        drawn = draw(pipeline, asked)
        request_id = store.designs.begin(asked, Origin(USER, pipeline.model_id))
        ids = [store.designs.add(request_id, _unscored(one), model=pipeline.model_id) for one in drawn]
        best = int(np.argmax([taste(one.image) for one in drawn]))
        store.picks.favourite(USER, ids[best], True, ids)
        print(f"pick {number + 1} of {config.num_picks}", end="\r", file=sys.stderr)
    found = len(store.picks.read(USER))
    store.close()
    return found


def train(config: PicksConfig, store: Path, out: Path) -> Path:
    """train.dpo on the store; returns the folder of the trained pipeline."""
    names = ("max_train_steps", "batch_size", "gradient_accumulation_steps", "learning_rate", "ema_decay", "dpo_beta")
    names += ("anchor_weight", "num_workers", "seed", "device", "dataset_path", "image_size", "num_inference_steps")
    shared = {name: getattr(config, name) for name in names}
    dpo.train(
        DpoConfig(
            output_dir=str(out),
            pretrained_model_name_or_path=config.model,
            preferences=str(store / "studio.sqlite"),
            num_samples=0,
            save_steps=SAVE_STEPS,
            in_memory=config.num_workers == 0,
            **shared,
        )
    )
    return out / "final_model" / "pipeline"


def held_out(config: PicksConfig) -> Iterator[DesignRequest]:
    """Sketches that nobody picked on, kind after kind."""
    kinds = (*PICKED, *NEVER_PICKED)
    for number in range(config.num_held_out):
        yield request_of(kinds[number % len(kinds)], HELD_OUT + number, config)


@torch.no_grad()
def draw(pipeline: GarmentPipeline, asked: DesignRequest) -> list[Design]:
    """The candidates of a request in the order of their noise, all in one batch; the noise is the studio's."""
    settings, channels = asked.config, pipeline.layout.latents
    image, mask = pipeline.canvas(asked.sketch, None, None)
    count = settings.num_candidates
    noise = torch.cat([candidate_noise(asked.seed, index, channels) for index in range(count)])
    for latents in pipeline.denoise(  # noqa: B007 - the last ones are wanted
        noise,
        pipeline.condition(asked.prompt, asked.sketch, image, mask).expand(count),
        pipeline.encode_prompt("").to(pipeline.unet.dtype),
        num_inference_steps=settings.num_inference_steps,
        guidance_scale=settings.guidance_scale,
    ):
        pass
    pictures = pipeline.decode_latents(latents)
    return [Design(keep_outside(picture, image, mask), index, asked) for index, picture in enumerate(pictures)]


@dataclass(frozen=True, eq=False)
class Drawn:
    """What a model draws of the held-out sketches, and what is measured of it.

    Attributes:
        pictures: uint8 [n, K, 512, 384, 3].
        judged: [n, K], the judge's liking for dark and plain; higher is nearer to the taste.
        taste: [n, K], the designer's own measure.
        spread: [n], mean pairwise cosine distance of the judge's embeddings among a request's candidates.
        noun: [n, K], the judge's similarity to the garment's name: what must not be lost.
    """

    pictures: np.ndarray
    judged: np.ndarray
    taste: np.ndarray
    spread: np.ndarray
    noun: np.ndarray


def measure(pipeline: GarmentPipeline, judge: ClipScorer, config: PicksConfig) -> Drawn:
    """Draw and measure all held-out requests."""
    pictures, judged, liked, spread, noun = [], [], [], [], []
    for asked in held_out(config):
        images = [one.image for one in draw(pipeline, asked)]
        embedded = judge.embed_images(images)
        sides = [judge.embed_texts([f"{w} {asked.prompt}" for w in words]).mean(axis=0) for words in (LIKED, DISLIKED)]
        pictures.append(np.stack(images))
        judged.append(embedded @ (sides[0] - sides[1]))
        liked.append([taste(image) for image in images])
        noun.append(embedded @ judge.embed_texts([asked.prompt])[0])
        pairs = np.triu_indices(len(images), 1)
        spread.append(float((1 - embedded @ embedded.T)[pairs].mean()))
    return Drawn(*(np.array(values) for values in (pictures, judged, liked, spread, noun)))


def compare(base: Drawn, trained: Drawn, config: PicksConfig) -> dict:
    """Figures with 95 % intervals; whole requests are drawn together.

    win_rate is the share of held-out noises whose picture the judge finds nearer to the taste after training.
    """
    asked = list(held_out(config))
    groups = [str(number) for number in range(len(asked)) for _ in range(config.num_candidates)]
    new = np.repeat([one.prompt in NEVER_PICKED for one in asked], config.num_candidates)
    wins = (trained.judged > base.judged).astype(float).ravel()
    figures = summarise(wins, groups, "judge_win_rate")
    for name, values in (
        ("judge_gain", trained.judged - base.judged),
        ("taste_gain", trained.taste - base.taste),
        ("noun_change", trained.noun - base.noun),
    ):
        figures |= summarise(values.ravel(), groups, name)
    for name, part in (("new_kinds", new), ("known_kinds", ~new)):
        if part.any():
            own = [group for group, inside in zip(groups, part, strict=True) if inside]
            figures |= summarise(wins[part], own, f"judge_win_rate_{name}")
    ratio, low, high = ratio_of(trained.spread, base.spread)
    figures |= {"diversity_ratio": ratio, "diversity_ratio_interval": [low, high]}
    reached = {
        "towards the taste: lower bound of judge_gain above 0": figures["judge_gain_interval"][0] > 0,
        f"diversity loss at most {MOST_LOSS:.0%}": ratio >= 1 - MOST_LOSS,
    }
    return {"figures": figures, "reached": reached}


def ratio_of(values: np.ndarray, others: np.ndarray) -> tuple[float, float, float]:
    """Mean over mean of paired values, with its 95 % bootstrap interval."""
    draws = np.random.default_rng(0).integers(len(values), size=(NUM_RESAMPLES, len(values)))
    low, high = np.percentile(values[draws].mean(axis=1) / others[draws].mean(axis=1), (2.5, 97.5))
    return float(values.mean() / others.mean()), float(low), float(high)


def sheet(base: Drawn, trained: Drawn) -> Image.Image:
    """A row for each of some requests: before training on the left, after on the right, from the same noise."""
    chosen = np.linspace(0, len(base.pictures) - 1, min(SHOWN, len(base.pictures))).astype(int)
    rows = [picture[::2, ::2] for i in chosen for picture in (*base.pictures[i], *trained.pictures[i])]
    return Image.fromarray(tile(rows, columns=2 * base.pictures.shape[1]))


def prove(config: PicksConfig) -> str:
    """Pick, train, draw, judge; returns what to print."""
    out, began = Path(config.out), time.monotonic()
    out.mkdir(parents=True, exist_ok=True)
    judge = ClipScorer.load(clip_within(config.judge), config.device)
    base_model = load_pipeline(Path(config.model), config.device)
    num_picks = make_picks(config, base_model, out / "store")
    trained_model = load_pipeline(train(config, out / "store", out / "dpo"), config.device)
    base, trained = (measure(model, judge, config) for model in (base_model, trained_model))
    report = compare(base, trained, config)
    report |= {"picks": num_picks, "held_out": config.num_held_out, "settings": dataclasses.asdict(config)}
    report |= {"versions": versions(), "hardware": hardware(base_model.device.type)}
    report |= {"command": shlex.join(["python", "-m", "benchmarks.picks", *sys.argv[1:]])}
    report |= {"seconds": round(time.monotonic() - began)}
    (out / "report.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    (out / "report.md").write_text(markdown(report), encoding="utf-8")
    sheet(base, trained).save(out / "sheet.jpg", quality=88)
    return words_of(report, out)


def _unscored(design: Design) -> ScoredDesign:
    """Nobody ranks here: the designer looks at pictures."""
    return ScoredDesign(design, 0.0, 0.0, 0.0, "", 0)


def main(argv: list[str] | None = None) -> int:
    """Command line; returns the exit status (2 = bad input)."""
    return run_command(argv, prove, PicksConfig, prog="python -m benchmarks.picks", description=__doc__.splitlines()[0])


if __name__ == "__main__":
    sys.exit(main())
