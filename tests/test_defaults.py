"""Steps, guidance and live steps that a model folder says: read, carried on, followed by commands and page."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from fashiondistill import generate, predict
from fashiondistill.config import STARTER, DrawingDefaults, GenerateConfig, PredictConfig
from fashiondistill.diffusion.defaults import flag_defaults, said_defaults
from fashiondistill.diffusion.loading import load_pipeline
from fashiondistill.diffusion.pipeline import TOGETHER, GarmentPipeline
from fashiondistill.diffusion.sources import open_base
from studio import live
from studio.panels.results import results_column
from studio.state import GenerateInputs
from tests import tiny
from tests.fake_engine import FakeEngine
from train.starter.bundle import BundleConfig, make_bundle
from train.starter.pipelines import write_drawing

FEW = {"num_inference_steps": 4, "guidance_scale": 1.0, "live_steps": 2}
DISTILLED = DrawingDefaults(**FEW)


@pytest.fixture(scope="module")
def distilled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny model's folder that says `FEW`, made as the bundle command makes it."""
    folder, made = tmp_path_factory.mktemp("distilled"), tiny.pipeline()
    made.vae.save_pretrained(folder / "ae" / "vae")
    for name in ("unet", "text_encoder", "tokenizer", "scheduler"):
        getattr(made, name).save_pretrained(folder / "student" / name)
    write_drawing(folder / "student", 4)
    tiny.save_clip_folder(folder / "clip" / "clip")
    names = ("ae", "student", "clip", "bundle")
    make_bundle(BundleConfig(*(str(folder / name) for name in names)))
    return folder


def test_a_bundle_of_a_distillation_says_its_steps(distilled: Path) -> None:
    bundle = distilled / "bundle"
    assert said_defaults(bundle) == FEW
    loaded = load_pipeline(bundle, "cpu")
    assert loaded.defaults == DISTILLED
    assert loaded.defaults.generate_config() == GenerateConfig(num_inference_steps=4, guidance_scale=1.0)
    again = GarmentPipeline(**loaded.components, **loaded.settings)  # as training puts a new UNet in
    assert again.defaults == DISTILLED
    assert open_base(str(bundle)).pipeline.defaults == DISTILLED


def test_flags_of_the_bundle_command_win_over_the_stage(distilled: Path, tmp_path: Path) -> None:
    folders = (str(distilled / name) for name in ("ae", "student", "clip"))
    make_bundle(BundleConfig(*folders, str(tmp_path / "out"), num_inference_steps=2, live_steps=1))
    assert said_defaults(tmp_path / "out") == {"num_inference_steps": 2, "guidance_scale": 1.0, "live_steps": 1}
    with pytest.raises(ValueError, match="--live_steps 101 is not usable: choose 1 to 100"):
        BundleConfig("a", "b", "c", "d", live_steps=101)


def test_models_that_say_nothing_are_drawn_as_ever(tmp_path: Path) -> None:
    assert tiny.pipeline().defaults == DrawingDefaults() and said_defaults(tmp_path) == {}
    assert said_defaults(tiny.save_model(tmp_path / "model")) == {}
    assert DrawingDefaults().generate_config() == GenerateConfig()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "is damaged"),
        ('{"guidance_scale": 0.5}', "--guidance_scale 0.5 is not usable: choose 1 to 20"),
        ('{"live_steps": 200}', "--live_steps 200 is not usable: choose 1 to 100"),
        ('{"num_inference_steps": "four"}', "not usable"),
    ],
)
def test_what_cannot_be_is_named_with_its_file(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "model_index.json").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=re.escape(says)) as caught:
        said_defaults(tmp_path)
    assert "model_index.json" in str(caught.value)


def test_without_guidance_there_is_no_second_pass(distilled: Path) -> None:
    loaded, batches = load_pipeline(distilled / "bundle", "cpu"), []
    loaded.unet.register_forward_pre_hook(lambda module, inputs: batches.append(len(inputs[0])))
    tiny.designs(loaded, tiny.request(config=loaded.defaults.generate_config()))
    assert batches == [TOGETHER] * (4 // TOGETHER * 4)
    batches.clear()
    config = replace(loaded.defaults.generate_config(), guidance_scale=2, num_candidates=1)
    tiny.designs(loaded, tiny.request(config=config))
    assert batches == [2] * 4


def _help(main, argv: list[str], capsys: pytest.CaptureFixture[str]) -> str:  # noqa: ANN001
    with pytest.raises(SystemExit):
        main([*argv, "--help"])
    return " ".join(capsys.readouterr().out.split())


def test_commands_follow_the_model_that_they_are_given(distilled: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bundle = str(distilled / "bundle")
    for main, flag in ((generate.main, "--model"), (predict.main, "--checkpoint_path")):
        told = _help(main, [flag, bundle], capsys)
        assert re.search(r"denoising steps[^(]*\(default: 4\)", told)
        assert re.search(r"classifier-free guidance[^(]*\(default: 1.0\)", told)
    assert re.search(r"denoising steps[^(]*\(default: 50\)", _help(predict.main, [], capsys))
    assert PredictConfig.num_inference_steps == 50  # as published
    own = said_defaults(STARTER)
    steps = own.get("num_inference_steps", GenerateConfig.num_inference_steps)
    assert f"(default: {steps})" in _help(generate.main, [], capsys)


def test_a_damaged_model_ends_a_command_with_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "model_index.json").write_text("{", encoding="utf-8")
    assert generate.main(["--model", str(tmp_path)]) == 2
    assert capsys.readouterr().err.startswith(f"error: model: {tmp_path / 'model_index.json'} is damaged")


def test_a_flag_wins_over_the_model(distilled: Path) -> None:
    found = flag_defaults("model", "")
    assert found([f"--model={distilled / 'bundle'}", "--num_inference_steps", "9"]) == FEW  # defaults, not values
    assert found([]) == {} and found(["--mode", str(distilled / "bundle")]) == {}  # no abbreviations


def test_page_and_live_start_from_the_model(tmp_path: Path) -> None:
    import gradio as gr

    engine = FakeEngine(tmp_path)
    engine.defaults = DISTILLED
    with gr.Blocks():
        parts = results_column(engine)
    assert (parts.steps.value, parts.guidance.value) == (4, 1.0)
    inputs = GenerateInputs(tiny.CATEGORY, "2020-W10", "navy", _canvas(engine), 4, 50, 1.0, 1.0, 0)
    assert live.draw(engine, inputs).design.request.config.num_inference_steps == 2


def _canvas(engine: FakeEngine) -> str:
    from studio import callbacks

    return callbacks.template(engine, tiny.CATEGORY)


def test_the_index_of_a_saved_pipeline_holds_them(distilled: Path) -> None:
    index = json.loads((distilled / "bundle" / "model_index.json").read_text(encoding="utf-8"))
    assert {name: index[name] for name in FEW} == FEW
