"""The command line is a contract: flags come from the configs and back, bad values are named, every --help prints."""

from __future__ import annotations

import argparse
import ast
import dataclasses
import importlib
import json
import re
import subprocess
import sys
import typing
from pathlib import Path
from types import ModuleType

import pytest

import fashiondistill
from fashiondistill import config as config_module
from fashiondistill.cli import add_flags, config_from, write_run
from fashiondistill.config import (
    AutoencoderConfig,
    CatalogueConfig,
    ClipConfig,
    DenoiserConfig,
    DistillConfig,
    GenerateConfig,
    PrepareDrawingsConfig,
    PreparePhotosConfig,
    StudioConfig,
    option,
)

ROOT = Path(__file__).parent.parent
Capture = pytest.CaptureFixture[str]


def entry_modules() -> list[str]:
    """Every module with a main(): what `python -m` can run."""
    files = [ROOT / "app.py", *ROOT.glob("fashiondistill/**/*.py"), *ROOT.glob("train/**/*.py")]
    found = []
    for path in sorted(files):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        if any(isinstance(node, ast.FunctionDef) and node.name == "main" for node in tree.body):
            found.append(".".join(path.relative_to(ROOT).with_suffix("").parts))
    return found


ENTRIES = entry_modules()
KNOWN = {
    "app",
    "fashiondistill.prepare",
    "fashiondistill.generate",
    "fashiondistill.data.catalogue",
    *(
        f"train.starter.{name}"
        for name in ("autoencoder", "clip", "denoiser", "distill", "bundle", "evaluate", "drafts")
    ),
}


def configs_of(module: ModuleType) -> list[type]:
    """Dataclasses of a module whose fields are flags."""
    return [
        value
        for value in vars(module).values()
        if isinstance(value, type)
        and dataclasses.is_dataclass(value)
        and any("help" in entry.metadata for entry in dataclasses.fields(value))
    ]


def all_configs() -> list[type]:
    modules = [config_module, *(importlib.import_module(name) for name in ENTRIES)]
    return sorted({found for module in modules for found in configs_of(module)}, key=lambda found: found.__name__)


def filled(config_class: type, **changes: object) -> object:
    """Defaults, with "x" wherever a config asks for a path; models are optional, and refused where none is used."""
    texts = {
        e.name: "x"
        for e in dataclasses.fields(config_class)
        if e.default == "" and "choices" not in e.metadata and not e.name.endswith("_model")
    }
    return config_class(**(texts | changes))


def parser_of(config_class: type) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser()
    add_flags(parser, config_class)
    return parser


def as_flags(config: object) -> list[str]:
    """A config written out as a command line."""
    flags: list[str] = []
    positional = {entry.name for entry in dataclasses.fields(config) if entry.metadata.get("positional")}
    for name, value in dataclasses.asdict(config).items():
        if name in positional:
            flags.append(value)
        elif isinstance(value, bool):
            flags.append(f"--{name}" if value else f"--no-{name}")
        elif isinstance(value, tuple):
            flags += [f"--{name}", *map(str, value)]
        else:
            flags.append(f"--{name}={value}")
    return flags


def refused(capsys: Capture, parser: argparse.ArgumentParser, flags: list[str]) -> str:
    """What argparse says before it leaves with status 2."""
    with pytest.raises(SystemExit) as leaving:
        parser.parse_args(flags)
    assert leaving.value.code == 2
    return capsys.readouterr().err


# Dataclass -> flags -> dataclass.


@pytest.mark.parametrize("config_class", all_configs(), ids=lambda found: found.__name__)
def test_flags_come_from_the_config_and_back(config_class: type, capsys: Capture) -> None:
    config, parser = filled(config_class), parser_of(config_class)
    assert dataclasses.is_dataclass(config) and config_class.__dataclass_params__.frozen
    assert config_from(parser.parse_args(as_flags(config)), config_class) == config
    given = {e.name: e for e in dataclasses.fields(config_class) if e.default == "" and getattr(config, e.name)}
    short = [
        getattr(config, name) if entry.metadata.get("positional") else f"--{name}={getattr(config, name)}"
        for name, entry in given.items()
    ]
    assert config_from(parser.parse_args(short), config_class) == config  # the rest are defaults
    assert config_class.__doc__ and not config_class.__doc__.startswith(config_class.__name__)
    hints = typing.get_type_hints(config_class)
    for entry in dataclasses.fields(config_class):
        assert entry.metadata["help"] in " ".join(parser.format_help().split())
        if hints[entry.name] in (int, float):
            error = refused(capsys, parser, [f"--{entry.name}=many"])
            assert f"argument --{entry.name}: invalid {hints[entry.name].__name__} value: 'many'" in error
        if "choices" in entry.metadata:
            assert f"argument --{entry.name}: invalid choice: 'none'" in refused(
                capsys, parser, [f"--{entry.name}=none"]
            )


def test_changed_values_arrive_with_their_types() -> None:
    config = filled(
        DenoiserConfig, block_out_channels=(32, 64, 96), compile=False, learning_rate=1e-5, seed=3, device="cpu"
    )
    again = config_from(parser_of(DenoiserConfig).parse_args(as_flags(config)), DenoiserConfig)
    assert again == config
    assert isinstance(again.block_out_channels, tuple) and isinstance(again.block_out_channels[0], int)


def test_a_field_without_default_is_required(capsys: Capture) -> None:
    @dataclasses.dataclass(frozen=True)
    class Needs:
        """Test."""

        folder: str
        share: float = option(0.5, "100 % of it")

    parser = parser_of(Needs)
    assert "required: --folder" in refused(capsys, parser, [])
    assert config_from(parser.parse_args(["--folder=a"]), Needs) == Needs("a")
    assert "100 % of it (default: 0.5)" in parser.format_help()


def test_unknown_flags_are_refused(capsys: Capture) -> None:
    assert "unrecognized arguments: --stpes=3" in refused(capsys, parser_of(GenerateConfig), ["--stpes=3"])


def test_frozen_flags_of_the_public_commands() -> None:
    """A renamed or dropped flag breaks people's scripts: say so in the README, then change this list."""
    flags = {
        found: [entry.name for entry in dataclasses.fields(found)]
        for found in (GenerateConfig, StudioConfig, CatalogueConfig, PreparePhotosConfig, PrepareDrawingsConfig)
    }
    assert flags == {
        GenerateConfig: [
            "num_candidates", "num_inference_steps", "guidance_scale", "sketch_influence", "clip_i_weight",
            "clip_t_weight",
        ],
        StudioConfig: [
            "model",
            "catalogue",
            "host",
            "port",
            "device",
            "mcp",
            "max_queue",
            "language",
            "compare_models",
            "store_dir",
        ],
        CatalogueConfig: ["num_transactions", "num_customers", "articles_per_category", "seed"],
        PreparePhotosConfig: [
            "photos", "out", "labels", "segmenter", "min_score", "val_share", "test_share", "num_workers",
        ],
        PrepareDrawingsConfig: ["out", "num_drawings", "shares", "seed", "num_workers"],
    }  # fmt: skip


# Values that no config takes.


@pytest.mark.parametrize(
    ("config_class", "changes"),
    [
        (GenerateConfig, {"num_candidates": 0}),
        (GenerateConfig, {"num_inference_steps": 101}),
        (GenerateConfig, {"guidance_scale": 0.99}),
        (GenerateConfig, {"guidance_scale": float("nan")}),
        (GenerateConfig, {"sketch_influence": -0.1}),
        (GenerateConfig, {"clip_i_weight": 1.1}),
        (GenerateConfig, {"clip_t_weight": float("nan")}),
        (StudioConfig, {"port": 65536}),
        (StudioConfig, {"port": -1}),
        (StudioConfig, {"max_queue": 0}),
        (CatalogueConfig, {"num_transactions": 0}),
        (CatalogueConfig, {"articles_per_category": -1}),
        (PreparePhotosConfig, {"photos": ""}),
        (PreparePhotosConfig, {"min_score": 1.5}),
        (PreparePhotosConfig, {"val_share": 0.5}),
        (PreparePhotosConfig, {"test_share": -0.1}),
        (PreparePhotosConfig, {"num_workers": -1}),
        (PrepareDrawingsConfig, {"num_drawings": 0}),
        (AutoencoderConfig, {"dataset_path": ""}),
        (AutoencoderConfig, {"output_dir": ""}),
        (AutoencoderConfig, {"max_minutes": 0}),
        (AutoencoderConfig, {"stop_after_minutes": -1}),
        (AutoencoderConfig, {"batch_size": 1}),
        (AutoencoderConfig, {"learning_rate": float("nan")}),
        (AutoencoderConfig, {"max_records": -1}),
        (AutoencoderConfig, {"block_out_channels": (32, 64, 12, 8)}),
        (AutoencoderConfig, {"crop": 512}),
        (AutoencoderConfig, {"crop": 100}),
        (AutoencoderConfig, {"kl_weight": -1.0}),
        (ClipConfig, {"embed_dim": 0}),
        (ClipConfig, {"text_width": 100}),
        (ClipConfig, {"text_layers": 0}),
        (DenoiserConfig, {"autoencoder": ""}),
        (DenoiserConfig, {"block_out_channels": (128, 0, 224)}),
        (DenoiserConfig, {"text_width": 32}),
        (DenoiserConfig, {"num_variants": 0}),
        (DenoiserConfig, {"snr_gamma": 0.0}),
        (DenoiserConfig, {"condition_dropout": 1.0}),
        (DenoiserConfig, {"num_samples": -1}),
        (DenoiserConfig, {"block_out_channels": (64,)}),
        (DenoiserConfig, {"fold": 3}),
        (DenoiserConfig, {"sketch_channels": 2}),
        (DistillConfig, {"teacher": ""}),
        (DistillConfig, {"autoencoder": ""}),
        (DistillConfig, {"num_steps": 0}),
        (DistillConfig, {"substeps": 1}),
        (DistillConfig, {"num_steps": 300}),
        (DistillConfig, {"teacher_guidance": 0.5}),
        (DistillConfig, {"num_variants": 0}),
        (DistillConfig, {"num_samples": -1}),
    ],
)
def test_bad_values_name_flag_value_and_remedy(config_class: type, changes: dict) -> None:
    ((name, value),) = changes.items()
    with pytest.raises(ValueError) as caught:
        filled(config_class, **changes)
    shown = re.escape(repr(value) if isinstance(value, str) else str(value))
    assert re.fullmatch(rf"--{name} {shown} is not usable: (choose|give) .*\.", str(caught.value))


def test_limits_themselves_are_usable() -> None:
    GenerateConfig(num_candidates=1, num_inference_steps=1, guidance_scale=1, sketch_influence=0, clip_i_weight=0)
    GenerateConfig(num_candidates=8, num_inference_steps=100, guidance_scale=20, clip_t_weight=0)
    with pytest.raises(ValueError, match="one of --clip_i_weight and --clip_t_weight must be above 0"):
        GenerateConfig(clip_i_weight=0, clip_t_weight=0)
    StudioConfig(port=0)
    StudioConfig(port=65535, max_queue=1)
    filled(PreparePhotosConfig, min_score=0, val_share=0, test_share=0)


# Entry points.


def test_every_known_entry_point_exists() -> None:
    assert KNOWN <= set(ENTRIES)


@pytest.mark.parametrize(
    ("name", "command"),
    [(name, ()) for name in ENTRIES] + [("fashiondistill.prepare", (word,)) for word in ("photos", "drawings")],
)
def test_help_prints_every_flag(name: str, command: tuple[str, ...], capsys: Capture) -> None:
    module = importlib.import_module(name)
    with pytest.raises(SystemExit) as leaving:
        module.main([*command, "--help"])
    assert leaving.value.code == 0
    output = capsys.readouterr()
    shown = "app.py" if name == "app" else f"-m {name.removesuffix('.__main__')}"
    assert output.out.startswith(f"usage: python {shown}") and output.err == ""
    if name == "fashiondistill.prepare" and not command:
        assert "photos" in output.out and "drawings" in output.out
    else:
        assert "(default: " in output.out


@pytest.mark.parametrize("name", ["fashiondistill.prepare", "fashiondistill.data.catalogue"])
def test_python_m_runs(name: str) -> None:
    """One real process each of those that load no torch."""
    done = subprocess.run([sys.executable, "-m", name, "--help"], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0 and done.stdout.startswith(f"usage: python -m {name}") and not done.stderr


@pytest.mark.parametrize(
    ("name", "flags", "words"),
    [
        ("app", ["--port=70000"], "--port 70000 is not usable: choose 0 to 65535"),
        ("app", ["--model=none"], "--model none is not usable: there is no such folder"),
        ("app", ["--model={here}", "--catalogue=none"], "--catalogue none is not usable: there is no such folder"),
        ("fashiondistill.prepare", ["drawings"], "--out '' is not usable: give the folder to write to"),
        ("fashiondistill.data.catalogue", ["--out={here}", "--num_customers=0"], "--num_customers 0 is not usable"),
        ("train.starter.autoencoder", ["--output_dir=x"], "--dataset_path '' is not usable: give a prepared data set"),
        ("train.starter.clip", ["--dataset_path=x"], "--output_dir '' is not usable: give a folder to write to"),
        ("train.starter.denoiser", ["--dataset_path=x", "--output_dir=y"], "--autoencoder '' is not usable"),
        ("train.starter.bundle", ["--autoencoder=x"], "--denoiser '' is not usable: give a folder"),
        ("train.starter.evaluate", ["--model=x", "--judge=y"], "--dataset_path '' is not usable: give a folder"),
        ("train.starter.drafts", ["--model=x", "--dataset_path=y"], "--out '' is not usable: give a folder"),
    ],
)
def test_bad_flags_end_with_status_2(name: str, flags: list[str], words: str, tmp_path: Path, capsys: Capture) -> None:
    assert importlib.import_module(name).main([flag.format(here=tmp_path) for flag in flags]) == 2
    output = capsys.readouterr()
    assert output.err.startswith("error: ") and words in output.err and output.err.count("\n") == 1
    assert output.out == "" and not list(tmp_path.iterdir())


# What a run leaves, and public names.


def test_run_json_holds_settings_versions_and_machine(tmp_path: Path) -> None:
    config = filled(DenoiserConfig, block_out_channels=(32, 32, 64))
    write_run(tmp_path, config, GenerateConfig())
    record = json.loads((tmp_path / "run.json").read_text(encoding="utf-8"))
    values = record["settings"]["DenoiserConfig"]
    tuples = {name: tuple(values[name]) for name in ("block_out_channels", "layers_per_block")}
    assert DenoiserConfig(**(values | tuples)) == config
    assert GenerateConfig(**record["settings"]["GenerateConfig"]) == GenerateConfig()
    assert {"torch", "diffusers", "transformers", "numpy"} <= set(record["versions"])
    assert record["python"].startswith("3.") and record["machine"]


def test_public_names_load_and_pandas_users_pay_no_torch() -> None:
    for name in fashiondistill.__all__:
        assert getattr(fashiondistill, name) is not None and name in dir(fashiondistill)
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        _ = fashiondistill.Nothing
    code = (
        "import sys, fashiondistill as f; f.Shop, f.Week, f.trend_prompt, f.DesignRequest, f.make_catalogue;"
        "print(sorted({'torch', 'diffusers', 'transformers', 'open_clip', 'gradio'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.stdout.strip() == "[]", done.stderr
