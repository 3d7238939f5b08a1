"""Weight folders: what is missing, damaged, cut off or pickled is named, with a remedy, before a model is built."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from fashiondistill.diffusion.checkpoints import MANIFEST, verify, write_manifest
from fashiondistill.diffusion.loading import load_pipeline
from fashiondistill.scoring import ClipScorer
from tests import tiny

UNET = "unet/diffusion_pytorch_model.safetensors"
WEIGHTS = (
    UNET,
    "vae/diffusion_pytorch_model.safetensors",
    "text_encoder/model.safetensors",
    "clip/open_clip_model.safetensors",
)
TEXTS = (
    "model_index.json",
    "unet/config.json",
    "text_encoder/config.json",
    "scheduler/scheduler_config.json",
    "tokenizer/tokenizer.json",
    "clip/open_clip_config.json",
    "clip/tokenizer/tokenizer.json",
)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.save_model(tmp_path_factory.mktemp("whole") / "model")


@pytest.fixture
def folder(whole: Path, tmp_path: Path) -> Path:
    """A copy to damage."""
    return Path(shutil.copytree(whole, tmp_path / "model"))


def flip(path: Path, position: int) -> None:
    data = bytearray(path.read_bytes())
    data[position] ^= 1
    path.write_bytes(data)


def cut(path: Path, share: float) -> None:
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])


def test_a_whole_folder_has_an_id_of_its_contents(whole: Path, folder: Path) -> None:
    found = verify(folder)
    assert len(found) == 12 and int(found, 16) >= 0
    assert verify(whole) == found
    (folder / "README.md").write_text("The card may change.", encoding="utf-8")
    (folder / "figures.json").write_text("{}", encoding="utf-8")
    assert verify(folder) == found
    write_manifest(folder)
    assert verify(folder) == found
    flip(folder / UNET, -1)
    write_manifest(folder)
    assert verify(folder) != found


def test_the_manifest_lists_every_file_but_the_card(folder: Path) -> None:
    (folder / "README.md").write_text("card", encoding="utf-8")
    write_manifest(folder)
    listed = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert set(listed) == files - {MANIFEST, "README.md"}
    assert listed[UNET]["bytes"] == (folder / UNET).stat().st_size


def test_one_flipped_bit_anywhere_is_found(folder: Path) -> None:
    generator = random.Random(0)
    for number in range(60):
        path = folder / (*WEIGHTS, *TEXTS)[number % 11]
        position = generator.randrange(path.stat().st_size)
        flip(path, position)
        with pytest.raises(ValueError, match="is damaged .*Restore the file") as caught:
            verify(folder)
        assert str(path) in str(caught.value)
        flip(path, position)
    verify(folder)


@pytest.mark.parametrize("name", WEIGHTS)
def test_cut_off_and_missing_files_are_found(folder: Path, name: str) -> None:
    cut(folder / name, 0.9)
    for load in (verify, load_pipeline):
        with pytest.raises(ValueError, match=rf"^model: .*{name} is damaged .*Restore the file"):
            load(folder)
    (folder / name).unlink()
    with pytest.raises(FileNotFoundError, match=rf"^model: .*{name} is missing. Restore it"):
        verify(folder)


def test_missing_folders_name_the_flag(tmp_path: Path) -> None:
    for path in (tmp_path / "nowhere", tmp_path):
        for load in (verify, load_pipeline):
            with pytest.raises(FileNotFoundError, match=rf"^model: {path} holds no model_index.json.*--model"):
                load(path)


@pytest.mark.parametrize("text", ["", '{"unet/config.json": ', "\ufeff"])
def test_a_damaged_manifest_is_named(folder: Path, text: str) -> None:
    (folder / MANIFEST).write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=rf"{MANIFEST} is damaged .*Restore the file"):
        verify(folder)


def test_a_manifest_entry_without_its_digest_is_no_permission(folder: Path) -> None:
    listed = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    listed[UNET] = {}
    (folder / MANIFEST).write_text(json.dumps(listed), encoding="utf-8")
    with pytest.raises(ValueError, match=f"{UNET} is damaged"):
        verify(folder)


@pytest.mark.parametrize("name", ["unet/model.bin", "clip/weights.pt", "old.ckpt", "a/b/c.pkl", "x.pth"])
def test_pickled_weights_are_refused(folder: Path, name: str) -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(b"\x80\x04K\x01.")
    with pytest.raises(ValueError, match=f"pickled weights .{Path(name).name}.*Convert them to safetensors"):
        load_pipeline(folder, "cpu")


# Folders without a manifest, as `save_pretrained` leaves them.


def test_without_a_manifest_a_whole_folder_loads(folder: Path) -> None:
    (folder / MANIFEST).unlink()
    assert verify(folder) == "unlisted"
    assert load_pipeline(folder, "cpu").model_id == "model-unlisted"


@pytest.mark.parametrize("share", [0.0, 0.001, 0.5, 0.999])
@pytest.mark.parametrize("name", WEIGHTS)
def test_without_a_manifest_cut_off_weights_are_named(folder: Path, name: str, share: float) -> None:
    (folder / MANIFEST).unlink()
    cut(folder / name, share)
    with pytest.raises(ValueError, match=rf"^model: .*{name} is damaged .*Restore the file"):
        load_pipeline(folder, "cpu")


@pytest.mark.parametrize("name", TEXTS)
def test_without_a_manifest_cut_off_texts_are_named(folder: Path, name: str) -> None:
    (folder / MANIFEST).unlink()
    cut(folder / name, 0.5)
    with pytest.raises(ValueError, match=rf"^model: .*{name} is damaged .*Restore the file"):
        load_pipeline(folder, "cpu")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("unet", "unet is missing"),
        ("vae", "vae is missing"),
        ("tokenizer", "tokenizer is missing"),
        ("scheduler", "scheduler is missing"),
        ("tokenizer/tokenizer.json", "tokenizer.json is missing"),  # transformers would make up an empty one
        ("clip/tokenizer/tokenizer.json", "clip/tokenizer/tokenizer.json is missing"),
        (UNET, "cannot be loaded"),
        ("unet/config.json", "cannot be loaded"),
        ("text_encoder/model.safetensors", "cannot be loaded"),
        ("text_encoder/config.json", "cannot be loaded"),
    ],
)
def test_without_a_manifest_missing_parts_are_named(folder: Path, name: str, words: str) -> None:
    (folder / MANIFEST).unlink()
    path = folder / name
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    with pytest.raises((ValueError, FileNotFoundError), match=rf"^model: .*{words}.*Restore (it|or replace)") as caught:
        load_pipeline(folder, "cpu")
    assert "\n" not in str(caught.value)


def test_weights_of_another_layout_are_refused(folder: Path) -> None:
    index = json.loads((folder / "model_index.json").read_text(encoding="utf-8"))
    (folder / "model_index.json").write_text(json.dumps(index | {"fold": 1}), encoding="utf-8")
    write_manifest(folder)
    with pytest.raises(ValueError, match="in_channels 40, the channel layout .*fold=1.* needs 10"):
        load_pipeline(folder, "cpu")


# The judge's own folder.


@pytest.mark.parametrize(
    ("name", "change", "words"),
    [
        ("open_clip_config.json", Path.unlink, "is missing. Restore the folder, or give another --model"),
        ("open_clip_model.safetensors", Path.unlink, "is missing. Restore the folder"),
        ("tokenizer/tokenizer.json", Path.unlink, "is missing. Restore the folder"),
        ("open_clip_config.json", lambda path: cut(path, 0.5), "is damaged .*Restore the file"),
        ("open_clip_model.safetensors", lambda path: cut(path, 0.5), "is damaged or of another model"),
    ],
)
def test_a_clip_folder_names_its_bad_file(folder: Path, name: str, change: Callable[[Path], None], words: str) -> None:
    change(folder / "clip" / name)
    with pytest.raises((ValueError, FileNotFoundError), match=rf"^CLIP: .*{name} {words}"):
        ClipScorer.load(folder / "clip", "cpu")


def test_weights_of_another_clip_are_refused(folder: Path) -> None:
    path = folder / "clip" / "open_clip_config.json"
    config = json.loads(path.read_text(encoding="utf-8"))
    config["model_cfg"]["embed_dim"] = 12
    path.write_text(json.dumps(config), encoding="utf-8")
    with pytest.raises(ValueError, match="open_clip_model.safetensors is damaged or of another model"):
        ClipScorer.load(folder / "clip", "cpu")
