"""Outline -> region: what is enclosed, what is open, and what the pipeline does with it."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch

from fashiondistill.config import GROUND
from fashiondistill.data.categories import CATEGORIES
from fashiondistill.data.drawings import KINDS, draw_garment, template_sketch
from fashiondistill.diffusion.region import MARGIN, enclosed, filled, garment_region
from fashiondistill.diffusion.repaint import Known
from tests import tiny
from train.starter.pipelines import sampling_scheduler


def _paper() -> np.ndarray:
    return np.zeros((512, 384), np.float32)


def _box(*, gap: int = 0) -> np.ndarray:
    """A rectangle of 200 x 300 pixels; `gap` pixels of its lower edge are missing."""
    sketch = _paper()
    cv2.rectangle(sketch, (80, 100), (280, 400), 1.0, 2)
    if gap:
        sketch[390:410, 180 : 180 + gap] = 0
    return sketch


def test_a_closed_outline_gives_its_inside_and_a_margin():
    region = garment_region(_box())
    assert region.dtype == np.float32 and set(np.unique(region)) == {0.0, 1.0}
    assert region[100:401, 80:281].all()
    assert not region[: 99 - MARGIN - 1].any() and not region[:, 282 + MARGIN + 1 :].any()


@pytest.mark.parametrize("gap", [3, 7])
def test_a_small_gap_counts_as_closed(gap):
    assert garment_region(_box(gap=gap))[250, 180] == 1


def test_an_open_outline_says_nothing():
    assert garment_region(_box(gap=60)) is None


def test_a_closed_pocket_in_an_open_outline_says_nothing():
    sketch = _box(gap=60)
    cv2.rectangle(sketch, (120, 150), (170, 210), 1.0, 2)
    assert garment_region(sketch) is None


def test_single_lines_say_nothing():
    sketch = _paper()
    cv2.line(sketch, (50, 50), (300, 450), 1.0, 3)
    assert garment_region(sketch) is None


@pytest.mark.parametrize("folder", [category.folder for category in CATEGORIES])
def test_templates_are_closed(folder):
    assert garment_region(template_sketch(folder)) is not None


def test_the_gap_between_trouser_legs_stays_outside():
    region = garment_region(template_sketch("top5glb"))
    assert region[470, 192] == 0 and region[470].any()


@pytest.mark.parametrize("kind", sorted(KINDS)[::4])
def test_the_region_of_an_extracted_sketch_covers_the_garment(kind):
    """What training takes for the region (the filled mask) is what a drawing's outline gives, but for the margin."""
    drawn = draw_garment(kind, colours=("navy",), pattern="plain", seed=5)
    region = garment_region(drawn.sketch.astype(np.float32) / 255)
    if region is None:  # thinner than lines: a belt or a chain may be
        assert filled(drawn.mask).mean() < 0.2
        return
    inside = filled(drawn.mask) > 0
    assert (region[inside] > 0).mean() > 0.98
    near = cv2.dilate(filled(drawn.mask), np.ones((2 * MARGIN + 15,) * 2))
    assert (near[region > 0] > 0).mean() > 0.98


def test_holes_of_a_mask_are_closed_and_bays_are_not():
    mask = np.zeros((60, 60), np.uint8)
    mask[10:50, 10:50] = 255
    mask[20:30, 20:30] = 0  # a hole
    mask[35:45, 30:50] = 0  # a bay
    closed = filled(mask)
    assert closed[25, 25] == 1 and closed[40, 40] == 0
    assert enclosed(mask).sum() == 100


def test_the_pipeline_paints_inside_the_outline_and_leaves_the_ground():
    pipeline = tiny.pipeline(mask_from_outline=True)
    design = tiny.designs(pipeline, tiny.request(sketch=_box()))[0]
    outside = cv2.dilate(garment_region(_box()).astype(np.uint8), np.ones((25, 25))) == 0
    assert (design.image[outside] == GROUND).all()
    assert (design.image[200:300, 130:230] != GROUND).any()
    plain = tiny.designs(tiny.pipeline(), tiny.request(sketch=_box()))[0]
    assert (plain.image[outside] != GROUND).any()


def test_an_open_sketch_is_painted_on_an_empty_page_as_before():
    open_sketch = _box(gap=60)
    with_flag = tiny.designs(tiny.pipeline(mask_from_outline=True), tiny.request(sketch=open_sketch))[0]
    without = tiny.designs(tiny.pipeline(), tiny.request(sketch=open_sketch))[0]
    assert np.array_equal(with_flag.image, without.image)


def test_a_given_picture_and_mask_are_not_overruled():
    image, mask = np.full((512, 384, 3), 90, np.uint8), _paper()
    mask[300:, :] = 1
    design = tiny.designs(tiny.pipeline(mask_from_outline=True), tiny.request(sketch=_box(), image=image, mask=mask))[0]
    assert (design.image[:290] == 90).all()


def test_a_repaint_fits_into_what_surrounds_it():
    """The rest of the picture is in the latents while the masked part is drawn, or a sleeve would ignore its shirt."""
    pipeline, mask = tiny.pipeline(mask_from_outline=True), _paper()
    mask[200:300, 120:240] = 1
    dark, light = (np.full((512, 384, 3), grey, np.uint8) for grey in (20, 230))
    core = cv2.erode(mask, np.ones((19, 19))) > 0
    inside = [
        tiny.designs(pipeline, tiny.request(sketch=_box(), image=i, mask=mask))[0].image[core] for i in (dark, light)
    ]
    assert np.abs(inside[0].astype(int) - inside[1]).mean() > 0.5


def test_known_latents_take_their_place_at_the_noise_level_of_the_next_step():
    scheduler = sampling_scheduler()
    scheduler.set_timesteps(3)
    torch.manual_seed(0)
    picture, noise, drawn = torch.randn(3, 1, 4, 8, 6).unbind()
    mask = torch.zeros(1, 1, 8, 6)
    mask[..., 3:] = 1
    known, levels = Known(picture, mask), []
    for number in range(3):
        latents = known.put_back(drawn, noise, scheduler, number=number)
        assert torch.equal(latents[..., 3:], drawn[..., 3:])
        levels.append((latents - picture)[..., :3].abs().mean().item())
    assert levels[0] > levels[1] > levels[2] == 0  # less noise with every step, none after the last


def test_eight_latent_channels_run_through_the_whole_pipeline():
    pipeline = tiny.pipeline(latent_channels=8)
    assert pipeline.layout.in_channels == (8 + 1 + 8 + 1) * 4
    assert tiny.designs(pipeline, tiny.request())[0].image.shape == (512, 384, 3)
