"""The small network of photo masks: numpy runs what torch trained, and its check drops what it sees otherwise."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch

from fashiondistill.config import PreparePhotosConfig, SegmenterConfig
from fashiondistill.data import learned, learnedmask
from fashiondistill.data.drawings import draw_garment
from fashiondistill.data.masks import GarmentMask, iou
from train.starter import segmenter


@pytest.fixture(scope="module")
def photo():
    """A drawn t-shirt on a wooden-coloured ground with noise, and its mask."""
    drawn = draw_garment("t-shirt", colours=("navy",), pattern="plain", seed=3)
    rng = np.random.default_rng(0)
    ground = np.clip(rng.normal((176, 150, 118), 6, drawn.image.shape), 0, 255)
    inside = cv2.GaussianBlur((drawn.mask > 0).astype(np.float32), (0, 0), 1.0)[..., None]
    return (drawn.image * inside + ground * (1 - inside)).astype(np.uint8), drawn.mask


def test_numpy_computes_what_torch_trained():
    torch.manual_seed(0)
    model = segmenter.Segmenter()
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):  # as after training: not the identity
            module.running_mean.uniform_(-0.3, 0.3)
            module.running_var.uniform_(0.5, 2)
            module.weight.data.uniform_(0.5, 1.5)
            module.bias.data.uniform_(-0.3, 0.3)
    model.eval()
    small = np.random.default_rng(1).integers(0, 256, (*learned.NET_SIZE, 3), np.uint8)
    weights = {name: value.astype(np.float32) for name, value in segmenter.exported(model).items()}
    images, _ = segmenter.to_tensors([(small, np.zeros(learned.NET_SIZE, np.uint8))])
    with torch.no_grad():
        expected = model(images)[0, 0].numpy()
    found = learned._network(learned.net_input(small), weights)
    assert np.abs(found - expected).max() < 0.02 * max(1.0, np.abs(expected).max())  # weights in half precision
    assert expected.std() > 0.01


def test_the_bundled_network_sees_a_garment_that_it_never_saw(photo):
    image, mask = photo
    chance = learned.garment_chance(image)
    truth = cv2.resize(mask, chance.shape[::-1], interpolation=cv2.INTER_AREA) > 127
    assert chance.shape == learned.NET_SIZE and 0 <= chance.min() and chance.max() <= 1
    assert iou((chance > 0.5).astype(np.uint8), truth.astype(np.uint8)) > 0.9
    found = learnedmask.learned_mask(image)
    assert found.score > 0 and iou((found.mask > 127).astype(np.uint8), (mask > 0).astype(np.uint8)) > 0.93


def test_a_mask_of_something_else_is_dropped_and_a_right_one_kept(photo):
    image, mask = photo
    views = learnedmask.chances(image)
    right = GarmentMask((mask > 0).astype(np.uint8) * np.uint8(255), 0.95, "")
    half = right.mask.copy()
    half[:, half.shape[1] // 2 :] = 0
    assert learnedmask.checked(right, views) is right
    dropped = learnedmask.checked(GarmentMask(half, 0.95, ""), views)
    assert dropped.score == 0 and "network" in dropped.weakness


def test_training_lowers_the_loss_and_settings_are_checked(photo):
    image, mask = photo
    height, width = learned.NET_SIZE
    pair = [cv2.resize(part, (width, height), interpolation=cv2.INTER_AREA) for part in (image, mask)]
    torch.manual_seed(0)
    model = segmenter.Segmenter()
    images, truth = segmenter.to_tensors([tuple(pair)])
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    first = segmenter.loss_of(model(images), truth).item()
    for _ in range(8):
        loss = segmenter.loss_of(model(images), truth)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert segmenter.loss_of(model(images), truth).item() < 0.7 * first
    with pytest.raises(ValueError, match="--photos '' is not usable: give a folder"):
        SegmenterConfig(dataset_path="x")
    assert PreparePhotosConfig(photos="x", out="y").segmenter == "grabcut"
