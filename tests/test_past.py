"""What sold before a week reaches a temporal model: in the library, in the studio's engine and in predictions."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from fashiondistill.config import GenerateConfig, StudioConfig
from fashiondistill.data.shop import Shop
from fashiondistill.data.weeks import Week
from fashiondistill.diffusion.checkpoints import write_manifest
from fashiondistill.diffusion.loading import load_pipeline
from fashiondistill.diffusion.past import make_past, shop_past
from fashiondistill.diffusion.trend import TrendEncoder, load_trend_encoder, season_of
from fashiondistill.generate import GenerateRequest, generate
from fashiondistill.predict import main
from studio.engine import CandidateReady, DesignEngine
from tests import tiny
from tests.datasets import save_published

WEEK = Week.parse(tiny.WEEK)


def encoder(**changes: int) -> TrendEncoder:
    """Loud tokens, so that a random UNet hears them."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        made = TrendEncoder(8, tiny.TEXT_WIDTH, **changes).eval().requires_grad_(False)
        made.out.weight.mul_(100)
    return made


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tiny.save_model(tmp_path_factory.mktemp("past") / "model")
    encoder().save(folder / "trend")
    write_manifest(folder)
    return folder


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures of the week, and of the one, not the two before it."""
    folder = tiny.save_catalogue(tmp_path_factory.mktemp("past") / "shop")
    for item in Shop.open(folder).bestsellers(tiny.CATEGORY, WEEK.shift(-1)):
        if not item.image.is_file():
            item.image.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(tiny.picture(seed=item.rank)).save(item.image)
    return folder


def test_weights_fall_with_age_and_only_the_past_is_looked_at() -> None:
    asked = []

    def embed(ids: list[str]) -> np.ndarray:
        asked.extend(ids)
        return np.eye(8, dtype=np.float32)[: len(ids)]

    articles = {WEEK.shift(-9): ["old"], WEEK.shift(-3): ["a", "b"], WEEK.shift(-2): [], WEEK.shift(-1): ["c"]}
    articles |= {WEEK: ["now"], WEEK.shift(1): ["later"]}
    past = make_past(tiny.CATEGORY, WEEK, articles, embed, encoder())
    assert asked == ["a", "b", "c"]
    total = 0.8**2 + 1
    assert past.weights.tolist() == pytest.approx([0.32 / total, 0.32 / total, 1 / total])
    assert past.season == season_of(WEEK)
    none = make_past(tiny.CATEGORY, WEEK, {WEEK: ["now"]}, embed, encoder())
    assert none.weights.sum() == 0 and none.tokens(encoder())[1].sum() == 0


def test_a_past_moves_the_pixels_and_no_past_is_no_trend(model: Path) -> None:
    with_trend, request = load_pipeline(model, "cpu"), tiny.request()
    pasts = [
        make_past(tiny.CATEGORY, WEEK, {WEEK.shift(-1): ["a"]}, lambda _, v=v: v[None], with_trend.trend)
        for v in np.eye(8, dtype=np.float32)[:2]
    ]
    empty = make_past(tiny.CATEGORY, WEEK, {}, lambda _: np.zeros((0, 8)), with_trend.trend)
    first, second, nothing, without = (
        [event for event in with_trend.stream(request, past) if not hasattr(event, "step")][0].image
        for past in (*pasts, empty, None)
    )
    assert not np.array_equal(first, second)
    assert not np.array_equal(first, without)
    away = [np.abs(one.astype(int) - without).mean() for one in (nothing, first)]
    assert away[0] < 0.2 * away[1]  # masked tokens take another kernel, so another rounding
    with pytest.raises(ValueError, match="has no trend encoder: leave it out"):
        next(tiny.pipeline().stream(request, pasts[0]))


def test_the_settings_of_the_past_travel_with_the_encoder(tmp_path: Path) -> None:
    encoder(num_past_weeks=7).save(tmp_path / "new")
    assert load_trend_encoder(tmp_path / "new").num_past_weeks == 7
    config = json.loads((tmp_path / "new" / "config.json").read_text())
    del config["num_past_weeks"], config["temporal_weight_decay"]  # as earlier versions wrote it
    (tmp_path / "new" / "config.json").write_text(json.dumps(config))
    assert load_trend_encoder(tmp_path / "new").num_past_weeks == 4


def test_the_studio_draws_with_the_weeks_before(model: Path, catalogue: Path, tmp_path: Path) -> None:
    engine = DesignEngine.open(StudioConfig(model=str(model), catalogue=str(catalogue), device="cpu"))
    past = shop_past(engine.shop, tiny.CATEGORY, tiny.WEEK, engine.pipeline.trend, engine.scorer.embed_images)
    ids = [item.article_id for item in engine.shop.bestsellers(tiny.CATEGORY, WEEK.shift(-1))]
    assert len(past.items) >= len(ids) and past.weights.sum() == pytest.approx(1)
    drawn = [
        event.scored.design.image for event in engine.generate(tiny.request()) if isinstance(event, CandidateReady)
    ]
    expected = [event.image for event in engine.pipeline.stream(tiny.request(), past) if not hasattr(event, "step")]
    assert all(np.array_equal(a, b) for a, b in zip(drawn, expected, strict=True))
    Image.fromarray(255 - (tiny.request().sketch * 255).astype(np.uint8)).save(tmp_path / "sketch.png")
    asked = GenerateRequest(
        sketch=str(tmp_path / "sketch.png"), category=tiny.CATEGORY, week=tiny.WEEK, prompt=tiny.CAPTION, seed=3,
        out=str(tmp_path / "out"), model=str(model), catalogue=str(catalogue), device="cpu",
    )  # fmt: skip
    config = GenerateConfig(num_candidates=1, num_inference_steps=2)
    with_past = generate(asked, config)[0].design.image
    plain = Path(shutil.copytree(model, tmp_path / "plain"))
    shutil.rmtree(plain / "trend")
    write_manifest(plain)
    without = generate(GenerateRequest(**(vars(asked) | {"model": str(plain)})), config)[0].design.image
    assert not np.array_equal(with_past, without)


def test_predictions_draw_with_the_past_up_to_the_base_week(model: Path, tmp_path: Path) -> None:
    save_published(tmp_path / "data")
    pictures = {}
    for name in ("temporal", "plain"):
        folder = Path(shutil.copytree(model, tmp_path / name))
        if name == "plain":
            shutil.rmtree(folder / "trend")
            write_manifest(folder)
        words = f"--dataset_path={tmp_path / 'data'} --checkpoint_path={folder} --output_dir={tmp_path / name}_out"
        words += " --num_inference_steps=2 --guidance_scale=2 --num_workers_test=0 --device=cpu --mixed_precision=no"
        assert main(words.split()) == 0
        found = sorted((tmp_path / f"{name}_out" / "predictions").rglob("*.jpg"))
        pictures[name] = [np.asarray(Image.open(path)) for path in found]
    assert len(pictures["plain"]) == 3
    assert all(not np.array_equal(a, b) for a, b in zip(*pictures.values(), strict=True))
