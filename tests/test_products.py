"""Product shots: drawn garments on a studio ground, alone and worn, have a known mask; and what must be refused."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from fashiondistill.config import GROUND, ProductShotConfig
from fashiondistill.data.lines import draw_outline
from fashiondistill.data.masks import GarmentMask
from fashiondistill.data.products import ShotRejected, prepare_product_shot
from fashiondistill.data.studiomasks import studio_mask
from fashiondistill.data.worn import TRUST
from tests.shots import product_shot, worn_shot


def iou(first: np.ndarray, second: np.ndarray) -> float:
    return np.count_nonzero((first > 0) & (second > 0)) / np.count_nonzero((first > 0) | (second > 0))


@pytest.mark.parametrize(
    ("kind", "category", "colour", "least"),
    [
        ("t-shirt", "top5gub", "navy", 0.97),
        ("t-shirt", "top5gub", "white", 0.94),
        ("t-shirt", "top5gub", "beige", 0.97),  # the colour of skin, and nobody wears it
        ("trousers", "top5glb", "light grey", 0.95),
        ("dress", "top5gfb", "cream", 0.97),
        ("bra", "top5underwear", "pink", 0.88),  # straps
        ("shoes", "top5shoe", "white", 0.95),
        ("handbag", "top5acc", "camel", 0.95),  # air below the handle
        ("belt", "top5acc", "black", 0.9),  # mostly air
    ],
)
def test_garment_alone(kind: str, category: str, colour: str, least: float) -> None:
    image, truth = product_shot(kind, colour=colour, seed=1)
    found = studio_mask(image, category)
    assert iou(found.mask, truth) > least
    assert found.score >= ProductShotConfig.min_shot_score


@pytest.mark.parametrize("skin", ["light", "brown", "dark"])
@pytest.mark.parametrize(
    ("garments", "wanted", "category"),
    [
        ({"lower": ("trousers", "navy"), "upper": ("t-shirt", "red")}, "upper", "top5gub"),
        ({"lower": ("trousers", "navy"), "upper": ("t-shirt", "red")}, "lower", "top5glb"),
        ({"full": ("dress", "teal")}, "full", "top5gfb"),
    ],
)
def test_garment_on_a_person(skin: str, garments: dict[str, tuple[str, str]], wanted: str, category: str) -> None:
    image, truth = worn_shot(garments, wanted, skin=skin)
    found = studio_mask(image, category)
    assert iou(found.mask, truth) > 0.85
    assert ProductShotConfig.min_shot_score <= found.score <= TRUST


def test_only_legs_in_the_picture() -> None:
    image, truth = worn_shot({"lower": ("skirt", "dark green"), "upper": ("t-shirt", "red")}, "lower", skin="brown")
    found = studio_mask(image[290:], "top5glb")
    assert iou(found.mask, truth[290:]) > 0.85 and found.score <= TRUST


def test_cloth_of_the_colour_of_skin_on_a_person_is_not_trusted() -> None:
    image, _ = worn_shot({"full": ("dress", "beige")}, "full", skin="light")
    with pytest.raises(ShotRejected, match="mask score"):
        prepare_product_shot(image, "top5gfb")


def test_shadow_is_no_garment() -> None:
    image, truth = product_shot("skirt", colour="burgundy")
    hem = cv2.boundingRect(truth)[1] + cv2.boundingRect(truth)[3]
    below = np.zeros(truth.shape, bool)
    below[hem + 5 : hem + 14, 200:280] = True
    assert image[below].mean() < image[hem + 60 : hem + 70, 200:280].mean() - 3  # there is one
    assert not studio_mask(image, "top5glb").mask[below].any()


@pytest.mark.parametrize("level", [222, 236, 246, 253])
def test_grounds_of_every_shop(level: float) -> None:
    image, truth = product_shot("t-shirt", colour="denim blue", level=level)
    assert iou(studio_mask(image, "top5gub").mask, truth) > 0.97


def test_picture_becomes_the_data_set_s_three() -> None:
    image, _ = product_shot("trousers", colour="olive")
    shot = prepare_product_shot(image, "top5glb")
    pictures = shot.pictures
    assert pictures.image.shape == (512, 384, 3) and pictures.sketch.shape == pictures.mask.shape == (512, 384)
    assert (pictures.image[:8] == GROUND).all() and set(np.unique(pictures.mask)) == {0, 255}
    left, top, width, height = cv2.boundingRect(pictures.mask)
    assert abs(left + width / 2 - 192) < 3 and abs(top + height / 2 - 256) < 3 and height > 420
    ink = pictures.sketch > 127
    outline = cv2.dilate(draw_outline(pictures.mask), np.ones((3, 3), np.uint8)) > 127
    assert 0.005 < ink.mean() < 0.1 and (ink & outline).sum() > 0.9 * (draw_outline(pictures.mask) > 127).sum()


def test_picture_can_stay_whole() -> None:
    image, truth = product_shot("trousers", colour="olive")
    pictures = prepare_product_shot(image, "top5glb", keep_picture=True).pictures
    scale = 512 / image.shape[0]
    assert abs(cv2.boundingRect(pictures.mask)[3] - scale * cv2.boundingRect(truth)[3]) < 4
    assert np.ptp(pictures.image[256, :24].astype(int)) < 14  # the strip beside the picture has the ground's own grey


def test_worker_and_pencil_can_be_others() -> None:
    image, truth = product_shot("skirt")
    shot = prepare_product_shot(
        image,
        "top5glb",
        segment=lambda picture, category: GarmentMask(truth, 1.0, ""),
        draw=lambda picture, mask: np.full(mask.shape, 7, np.uint8),
    )
    assert shot.score == 1 and (shot.pictures.sketch == 7).all()


def test_what_is_no_product_shot_is_refused() -> None:
    flat = np.full((600, 400, 3), 238, np.uint8)
    noise = np.random.default_rng(0).integers(0, 255, (600, 400, 3), np.uint8)
    tiny = np.full((600, 400, 3), 238, np.uint8)
    tiny[290:310, 190:210] = (200, 30, 30)
    for image in (flat, noise, tiny):
        with pytest.raises(ShotRejected, match="mask score 0.00 is below"):
            prepare_product_shot(image, "top5gub")
    small, truth = product_shot("skirt")
    small, truth = (cv2.resize(values, (60, 90), interpolation=cv2.INTER_AREA) for values in (small, truth))
    with pytest.raises(ShotRejected, match="garment is only .* pixels long"):
        prepare_product_shot(small, "top5glb")
    with pytest.raises(ShotRejected, match="mask is empty"):
        empty = GarmentMask(np.zeros(flat.shape[:2], np.uint8), 1.0, "")
        prepare_product_shot(flat, "top5gub", segment=lambda picture, category: empty)
    with pytest.raises(ValueError, match="category 'hats' is unknown"):
        prepare_product_shot(flat, "hats")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"segmenter": "transformers"}, "--segmenter transformers is not usable: give a folder or hub id"),
        ({"sketcher": "pidinet"}, "--sketcher pidinet is not usable: give a folder or hub id"),
        ({"segmenter_model": "u2net"}, "--segmenter_model u2net is not usable: nothing would use it"),
        ({"sketcher_model": "folder"}, "--sketcher_model folder is not usable: nothing would use it"),
        ({"min_shot_score": 2}, "--min_shot_score 2 is not usable: choose 0 to 1"),
    ],
)
def test_options_that_cannot_be_used_are_named(options: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ProductShotConfig(**options)
