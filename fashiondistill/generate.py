"""python -m fashiondistill.generate: one sketch -> ranked candidates.

In: a sketch file, a category, a week and words. Out: OUT/rank_1.png ... with everything that made them inside,
ranking.json, contact_sheet.png, run.json.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from fashiondistill import export
from fashiondistill.cli import run_command, write_run
from fashiondistill.config import CATALOGUE, STARTER, GenerateConfig, option, require
from fashiondistill.data.sales import user_cache_dir
from fashiondistill.data.shop import Shop
from fashiondistill.design import Design, DesignRequest, ScoredDesign
from fashiondistill.diffusion.defaults import flag_defaults
from fashiondistill.diffusion.loading import add_lora, load_pipeline
from fashiondistill.diffusion.past import shop_past
from fashiondistill.images import read_image, read_product_picture, sketch_from_edge_map
from fashiondistill.scoring import ClipScorer, rank_designs, score_design
from fashiondistill.trends import trend_prompt


@dataclass(frozen=True)
class GenerateRequest:
    """What the command line asks for."""

    sketch: str = option("", "picture of the sketch: dark lines on white, or bright on black")
    category: str = option("", "top5gub, top5glb, top5gfb, top5shoe, top5acc or top5underwear")
    week: str = option("", "week whose bestsellers the designs are compared with, for example 2020-W10")
    prompt: str = option("", "words; empty = the suggestion from that week's trend")
    seed: int = option(0, "the same seed gives the same pixels")
    out: str = option("", "folder to write to")
    model: str = option(str(STARTER), "folder of the pipeline (diffusers layout)")
    lora: str = option("", "LoRA to add to the model: folder or file of train.dpo or train.temporal --lora_rank")
    catalogue: str = option(str(CATALOGUE), "folder with articles, transactions and images in H&M's layout")
    device: str = option("auto", "where the model runs", choices=("auto", "cpu", "cuda"))

    def __post_init__(self) -> None:
        for name, remedy in (
            ("sketch", "give a picture file."),
            ("category", "give one of the six folder names."),
            ("week", "give an ISO week such as 2020-W10."),
            ("out", "give the folder to write to."),
        ):
            require(bool(getattr(self, name)), name, repr(getattr(self, name)), remedy)
        require(not Path(self.out).is_file(), "out", self.out, "it is a file; give the folder to write to.")


def generate(asked: GenerateRequest, config: GenerateConfig) -> list[ScoredDesign]:
    """Draw, rank and write; returns the ranking, best first.

    Raises:
        ValueError, FileNotFoundError: naming the field and the remedy.
    """
    sketch = sketch_from_edge_map(np.asarray(read_image(Path(asked.sketch), field="sketch")))
    shop = Shop.open(Path(asked.catalogue), cache_dir=user_cache_dir())
    bestsellers = shop.bestsellers(asked.category, asked.week)
    prompt = asked.prompt.strip() or trend_prompt(shop, asked.category, asked.week).text
    request = DesignRequest(asked.category, asked.week, prompt, sketch, seed=asked.seed, config=config)
    pipeline = load_pipeline(Path(asked.model), asked.device)
    if asked.lora:
        add_lora(pipeline, Path(asked.lora))
    pipeline.check_prompt(prompt)
    scorer = ClipScorer.load(Path(asked.model) / "clip", asked.device)
    pictured = [b for b in bestsellers if b.image.is_file()]  # H&M's own set lacks 442 pictures
    references = scorer.references({b.article_id: read_product_picture(b.image) for b in pictured})
    past = None
    if pipeline.trend is not None:
        past = shop_past(shop, asked.category, asked.week, pipeline.trend, scorer.embed_images)
    scored = []
    with tqdm(total=config.num_candidates * config.num_inference_steps, desc="drawing", unit="step") as bar:
        for event in pipeline.stream(request, past):
            if isinstance(event, Design):
                scored.append(score_design(event, scorer, references))
            else:
                bar.update(event.count)
    ranked = rank_designs(scored)
    out = Path(asked.out)
    out.mkdir(parents=True, exist_ok=True)
    for one in ranked:
        export.write_png(out / f"rank_{one.rank}.png", one, model=pipeline.model_id)
    export.write_ranking(out / "ranking.json", ranked, model=pipeline.model_id)
    export.contact_sheet(sketch, ranked).save(out / "contact_sheet.png")
    write_run(out, asked, config)
    return ranked


def _report(asked: GenerateRequest, config: GenerateConfig) -> str:
    return "\n".join(
        f"#{one.rank}  CLIP-I {one.clip_i:.3f}  CLIP-T {one.clip_t:.3f}  combined {one.combined:.3f}"
        f"  -> {asked.out}/rank_{one.rank}.png"
        for one in generate(asked, config)
    )


def main(argv: list[str] | None = None) -> int:
    """Command line; returns the exit status (2 = bad input)."""
    return run_command(
        argv,
        _report,
        GenerateRequest,
        GenerateConfig,
        prog="python -m fashiondistill.generate",
        description=__doc__.splitlines()[0],
        defaults=flag_defaults("model", str(STARTER)),
    )


if __name__ == "__main__":
    sys.exit(main())
