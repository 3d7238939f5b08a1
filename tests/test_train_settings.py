"""Flags of training and evaluation: published names all there, with what they take; values out of range are named."""

from __future__ import annotations

import argparse

import pytest

from fashiondistill.cli import add_flags
from train.evaluate import ClipEvaluationConfig
from train.settings import DpoConfig, TemporalConfig

SHARED = (
    "pretrained_model_name_or_path dataset_path output_dir num_past_weeks temporal_weight_decay temporal_loss_weight "
    "categories learning_rate max_train_steps mixed_precision gradient_accumulation_steps batch_size num_workers seed "
    "noise_offset snr_gamma use_wandb project_name save_steps"
).split()
PUBLISHED = {
    TemporalConfig: [*SHARED],
    DpoConfig: [
        *SHARED,
        *(
            "num_candidates dpo_beta dpo_weight clip_i_weight clip_t_weight dpo_frequency num_inference_steps "
            "image_size resume_from_checkpoint"
        ).split(),
    ],
    ClipEvaluationConfig: (
        "input_dir captions_file reference_dir output_dir clip_i_weight clip_t_weight batch_size "
        "create_visualizations device"
    ).split(),
}
# COMPAT.md, 1.3; where ours differs, docs/LOG.md says why
DEFAULTS = {
    TemporalConfig: {"num_past_weeks": 4, "temporal_weight_decay": 0.8, "learning_rate": 1e-5, "max_train_steps": 5000,
                     "gradient_accumulation_steps": 1, "batch_size": 2, "num_workers": 4, "seed": 42,
                     "noise_offset": 0.1, "snr_gamma": 5.0, "project_name": "temporal-mgd", "save_steps": 500},
    DpoConfig: {"dpo_weight": 0.5, "clip_i_weight": 0.6, "clip_t_weight": 0.4, "num_inference_steps": 20,
                "max_train_steps": 1000, "gradient_accumulation_steps": 4, "batch_size": 4,
                "project_name": "temporal-sd2-inpainting-dpo", "seed": 42},
    ClipEvaluationConfig: {"output_dir": "./clip_evaluation_results", "clip_i_weight": 0.6, "clip_t_weight": 0.4,
                           "batch_size": 8, "create_visualizations": False, "device": "auto"},
}  # fmt: skip


def parser_of(config_class: type) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser()
    add_flags(parser, config_class)
    return parser


@pytest.mark.parametrize("config_class", PUBLISHED, ids=lambda one: one.__name__)
def test_published_flags_and_defaults(config_class: type) -> None:
    parser = parser_of(config_class)
    known = {action.dest for action in parser._actions}
    assert set(PUBLISHED[config_class]) <= known
    arguments = parser.parse_args([])
    for name, value in DEFAULTS[config_class].items():
        assert getattr(arguments, name) == value, name


def test_published_command_lines_are_understood() -> None:
    """As the published scripts call them."""
    words = "--dataset_path d --output_dir o --num_past_weeks 8 --dpo_frequency 0.1 --num_inference_steps 10 "
    words += (
        "--learning_rate 5e-6 --max_train_steps 2000 --batch_size 1 --gradient_accumulation_steps 16 --save_steps 50 "
    )
    words += "--num_workers 1 --use_wandb --image_size 432 288 --categories top5gub top5shoe --mixed_precision fp16"
    found = parser_of(DpoConfig).parse_args(words.split())
    assert found.image_size == [432, 288] and found.learning_rate == 5e-6 and found.use_wandb
    DpoConfig(**{n: tuple(v) if isinstance(v, list) else v for n, v in vars(found).items()})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"dataset_path": ""}, "--dataset_path '' is not usable: give a folder"),
        ({"image_size": (500, 384)}, r"--image_size \(500, 384\) is not usable: give height and width as multiples"),
        ({"no_pose": False}, "--no_pose False is not usable: data sets of the published layout hold no poses"),
        ({"learning_rate": float("nan")}, "--learning_rate nan is not usable"),
        ({"learning_rate": 0.0}, "--learning_rate 0.0 is not usable: choose more than 0"),
        ({"batch_size": 0}, "--batch_size 0 is not usable: choose at least 1"),
        ({"num_candidates": 17}, "--num_candidates 17 is not usable: choose 2 to 16"),
        ({"dpo_beta": -1.0}, "--dpo_beta -1.0 is not usable: choose 0 or more"),
        ({"dpo_frequency": 1.5}, "--dpo_frequency 1.5 is not usable: choose 0 to 1"),
        ({"clip_i_weight": 0.0, "clip_t_weight": 0.0}, "weights are 0 or more, one above 0"),
        ({"dpo_weight": 0.0, "anchor_weight": 0.0}, "--dpo_weight 0 is not usable"),
    ],
)
def test_values_out_of_range_are_named(changes: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        DpoConfig(**({"dataset_path": "d", "output_dir": "o"} | changes))
