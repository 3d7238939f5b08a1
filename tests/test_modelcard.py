"""The model card: old and new figures.json, what is weak, what was not measured, and files that cannot be read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fashiondistill.config import STARTER, StudioConfig
from fashiondistill.modelcard import SHOWN, Figure, ModelCard, read_card
from studio import modelcards, modeltexts, texts
from studio.engine import DesignEngine
from tests import tiny
from tests.fake_engine import CARD


def save(folder: Path, figures: object) -> Path:
    (folder / "figures.json").write_text(json.dumps(figures), encoding="utf-8")
    return folder


def record(mean: float, low: float, high: float, count: int = 50) -> dict:
    return {"mean": mean, "low": low, "high": high, "count": count}


def test_figures_are_read_over_all_photos_and_by_category(tmp_path):
    figures = {"outline_iou": record(0.9, 0.8, 0.95), "outline_iou_top5shoe": record(0.7, 0.6, 0.8, 10)}
    card = read_card(save(tmp_path, figures | {"colour_right_top5shoe": record(1, 0, 1), "kid_designs": "unread"}))
    assert card == ModelCard(
        {"outline_iou": Figure(0.9, 0.8, 0.95, 50)}, {"top5shoe": {"outline_iou": Figure(0.7, 0.6, 0.8, 10)}}
    )
    assert card.is_weak("top5shoe", "outline_iou")


def test_files_of_before_there_were_categories_still_open(tmp_path):
    card = read_card(save(tmp_path, {"outline_iou": record(0.9, 0.8, 0.95)}))
    assert card.categories == {}
    html = modelcards.card_html(card)
    assert "0.90<small>0.80 to 0.95</small><small>50 photos" in html and modeltexts.NO_CATEGORIES in html
    assert texts.CATEGORIES["top5shoe"] not in html and modeltexts.FIGURES["inner_lines"] not in html


def test_the_bundled_models_card_tells_categories_apart():
    shipped = read_card(STARTER)
    assert set(shipped.overall) == set(SHOWN) and shipped.overall["outline_iou"].count == 100
    counts = {category: own["outline_iou"].count for category, own in shipped.categories.items()}
    assert "top5underwear" not in counts and sum(counts.values()) == 100  # there are no photos of underwear


def test_a_model_without_figures_has_no_card(tmp_path):
    assert read_card(tmp_path) is None and read_card(save(tmp_path, {"autoencoder_psnr": record(31, 30, 32)})) is None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "Expecting"),
        ("[]", "holds no figures by name"),
        ('{"outline_iou": 0.9}', "outline_iou lacks one of the numbers mean, low, high, count"),
        ('{"outline_iou": {"mean": 0.9, "low": 0.8, "high": 1}}', "outline_iou lacks"),
        ('{"inner_lines_top5acc": {"mean": NaN, "low": 0, "high": 1, "count": 3}}', "inner_lines_top5acc lacks"),
    ],
)
def test_a_damaged_file_is_told_with_its_path_and_a_remedy(tmp_path, text, says):
    (tmp_path / "figures.json").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=f"model: .*figures.json is damaged .*{says}.*delete it"):
        read_card(tmp_path)


def test_the_page_marks_what_is_weak_and_says_what_was_not_measured():
    html = modelcards.card_html(CARD)
    rows = {title: html.split(f">{title}</th>")[1].split("</tr>")[0] for title in texts.CATEGORIES.values()}
    assert modeltexts.WEAK not in rows["Upper body"] and rows["Upper body"].count(modeltexts.NOT_MEASURED) == 1
    assert rows["Shoes"].count(modeltexts.WEAK) == 1  # of inner strokes eight photos say nothing
    assert "8 photos: too few to tell" in rows["Shoes"]
    assert f"0.61 <em>{modeltexts.WEAK}</em><small>0.50 to 0.70</small><small>19 photos" in rows["Shoes"]
    assert rows["Underwear"].count(modeltexts.NOT_MEASURED) == 3 and modeltexts.WHY_NOT_MEASURED in html


def test_the_studio_reads_the_card_of_its_model_before_it_loads_anything(tmp_path):
    config = StudioConfig(model=str(tmp_path / "model"), catalogue=str(tiny.save_catalogue(tmp_path / "shop")))
    save(tiny.save_model(tmp_path / "model"), {"outline_iou": record(0.9, 0.8, 0.95)})
    assert DesignEngine.open(config).card.overall == {"outline_iou": Figure(0.9, 0.8, 0.95, 50)}
    save(tmp_path / "model", [])
    with pytest.raises(ValueError, match="figures.json is damaged"):
        DesignEngine.open(config)
