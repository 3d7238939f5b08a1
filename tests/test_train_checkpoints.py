"""Checkpoints: whole or not there, under kill -9, a full disk and damage. FASHIONDISTILL_KILLS=100 for a long trial."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors import SafetensorError
from torch import nn

from fashiondistill.config import STARTER
from fashiondistill.diffusion.conditioning import ChannelLayout
from fashiondistill.diffusion.published import EXPECTED_CHANNELS, load_unet_pth, save_unet_pth
from tests import tiny
from train import checkpoints, files
from train.starter.common import Ema

ROOT = Path(__file__).parents[1]
KILLS = int(os.environ.get("FASHIONDISTILL_KILLS", "6"))


def state_of(value: float) -> checkpoints.TrainingState:
    """A state in which every number is `value`, AdamW's moments included."""
    module = nn.Linear(64, 64)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.fill_(value)
    optimizer = torch.optim.AdamW(module.parameters(), lr=0.0)
    module(torch.ones(1, 64)).sum().backward()
    optimizer.step()
    return checkpoints.TrainingState({"unet": module}, optimizer, Ema({"unet": module}))


def save(out: Path, step: int, *, keep: int = 3) -> Path:
    snapshot = checkpoints.Snapshot(step, {"objective": {"beta": 0.1}}, f'{{"step": {step}}}\n', {"seed": 1})
    return checkpoints.save_checkpoint(out, state_of(float(step)), snapshot, keep=keep)


def test_what_is_saved_comes_back(tmp_path: Path) -> None:
    saved, other = state_of(3.0), state_of(0.0)
    folder = save(tmp_path, 3)
    tensors, values, losses = checkpoints.read_checkpoint(folder)
    other.restore(tensors)
    first, second = saved.tensors(), other.tensors()
    assert first.keys() == second.keys() == tensors.keys()
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert values == {"step": 3, "objective": {"beta": 0.1}} and losses == '{"step": 3}\n'
    assert json.loads((folder / "training_config.json").read_text()) == {"seed": 1}
    assert torch.load(folder / "unet.pth", weights_only=True)["weight"].shape == (64, 64)
    with pytest.raises(ValueError, match=r"trained \['unet'\], this run trains \['trend'\]"):
        checkpoints.TrainingState({"trend": nn.Linear(1, 1)}, other.optimizer, other.ema).restore(tensors)


def test_the_newest_are_kept_and_leftovers_go(tmp_path: Path) -> None:
    for step in (2, 4, 10):
        save(tmp_path, step, keep=2)
    assert checkpoints.checkpoint_steps(tmp_path) == [10, 4]
    (tmp_path / ".checkpoint-12.part").mkdir()
    checkpoints.clean_up(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["checkpoint-10", "checkpoint-4"]
    assert save(tmp_path, 10, keep=2) == tmp_path / "checkpoint-10"  # a step made again takes the old one's place
    assert sorted(path.name for path in tmp_path.iterdir()) == ["checkpoint-10", "checkpoint-4"]


def damage(file: Path, offset: float) -> None:
    content = bytearray(file.read_bytes())
    content[int(offset * (len(content) - 1))] ^= 0xFF
    file.write_bytes(bytes(content))


@pytest.mark.parametrize("name", ["state.safetensors", "state.json", "unet.pth", "losses.jsonl", "manifest.json"])
@pytest.mark.parametrize("offset", [0.0, 0.37, 1.0])
def test_one_wrong_byte_sends_back_to_the_checkpoint_before(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, offset: float
) -> None:
    save(tmp_path, 1), save(tmp_path, 2)
    damage(tmp_path / "checkpoint-2" / name, offset)
    assert checkpoints.find_checkpoint(tmp_path, "") == tmp_path / "checkpoint-1"
    assert "checkpoint-2" in capsys.readouterr().err
    with pytest.raises(ValueError, match="checkpoint-2"):
        checkpoints.find_checkpoint(tmp_path, str(tmp_path / "checkpoint-2"))


def test_cut_off_missing_and_wholly_damaged(tmp_path: Path) -> None:
    folder = save(tmp_path, 1)
    content = (folder / "state.safetensors").read_bytes()
    for length in (0, 1, len(content) // 2, len(content) - 1):
        (folder / "state.safetensors").write_bytes(content[:length])
        with pytest.raises(ValueError, match="state.safetensors is damaged"):
            checkpoints.verify_checkpoint(folder)
    with pytest.raises(ValueError, match="holds no checkpoint that is whole. Start anew with"):
        checkpoints.find_checkpoint(tmp_path, "")
    (folder / "manifest.json").unlink()
    with pytest.raises(ValueError, match="manifest.json is missing"):
        checkpoints.verify_checkpoint(folder)
    assert checkpoints.find_checkpoint(tmp_path, "none") is None
    assert checkpoints.find_checkpoint(tmp_path / "nothing", "") is None
    with pytest.raises(ValueError, match="holds no checkpoint"):
        checkpoints.find_checkpoint(tmp_path / "nothing", "latest")
    with pytest.raises(FileNotFoundError, match="there is no such folder"):
        checkpoints.find_checkpoint(tmp_path, str(tmp_path / "nothing"))


def test_a_full_disk_leaves_the_checkpoints_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk is full at each of the places where something is written or forced to disk."""
    save(tmp_path, 1)
    calls, limit = 0, 0

    def full(*_: object, **__: object) -> None:
        nonlocal calls
        calls += 1
        if calls > limit:
            raise OSError(errno.ENOSPC, "No space left on device")

    def told(*_: object, **__: object) -> None:
        raise SafetensorError("I/O error: No space left on device (os error 28)")

    monkeypatch.setattr(checkpoints, "sync", full)
    for limit in range(7):  # noqa: B007 - `full` reads it
        calls = 0
        with pytest.raises(OSError, match="no space for .*checkpoint-2, which needs [0-9,]+ bytes"):
            save(tmp_path, 2)
        assert [path.name for path in tmp_path.iterdir()] == ["checkpoint-1"]
    monkeypatch.setattr(checkpoints, "save_file", told)
    with pytest.raises(OSError, match="no space for"):
        save(tmp_path, 2)
    assert checkpoints.find_checkpoint(tmp_path, "latest") == tmp_path / "checkpoint-1"
    monkeypatch.setattr(files, "save_file", told)
    with pytest.raises(OSError, match="no space for .*x.safetensors"):
        files.save_tensors(tmp_path / "x.safetensors", {"a": torch.zeros(3)}, "key")


def test_a_kill_at_any_moment_leaves_a_checkpoint_that_loads() -> None:
    words = [sys.executable, "-m", "benchmarks.kills", "--kinds", "saves", "--kills", str(KILLS)]
    result = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=280)
    assert result.returncode == 0, result.stdout + result.stderr
    print(result.stdout)


def test_files_reach_the_disk_before_they_get_their_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every file and the folder are forced to disk, then renamed; older checkpoints go last."""
    save(tmp_path, 1)
    order: list[str] = []
    rename, sync, remove = os.rename, checkpoints.sync, shutil.rmtree
    monkeypatch.setattr(checkpoints.os, "rename", lambda a, b: (order.append(f"rename {Path(b).name}"), rename(a, b)))
    monkeypatch.setattr(checkpoints, "sync", lambda path: (order.append(f"sync {path.name}"), sync(path)))
    monkeypatch.setattr(checkpoints.shutil, "rmtree", lambda p, **k: (order.append(f"remove {p.name}"), remove(p, **k)))
    save(tmp_path, 2, keep=1)
    place = order.index("rename checkpoint-2")
    names = ("state.safetensors", "unet.pth", "state.json", "losses.jsonl", "training_config.json", "manifest.json")
    assert all(order.index(f"sync {name}") < place for name in (*names, ".checkpoint-2.part"))
    assert order.index(f"sync {tmp_path.name}") > place
    assert order.index("rename .checkpoint-1.old") > order.index(f"sync {tmp_path.name}")


def test_the_starters_own_channels_are_known() -> None:
    config = json.loads((STARTER / "unet" / "config.json").read_text())
    assert "starter" in EXPECTED_CHANNELS[config["in_channels"]]


@pytest.mark.parametrize("channels", [(0, 0), (0, 1), (3, 1), (18, 1)])
def test_published_weights_go_both_ways(tmp_path: Path, channels: tuple[int, int]) -> None:
    """9, 10, 13 and 28 input channels: plain inpainting, with sketch, the documented layout, MGD's."""
    layout = ChannelLayout(pose=channels[0], sketch=channels[1])
    first, second = tiny.unet(layout), tiny.unet(layout)
    assert first.config.in_channels == 9 + sum(channels)
    save_unet_pth(first, tmp_path / "unet.pth")
    raw = torch.load(tmp_path / "unet.pth", weights_only=True)
    assert raw["conv_in.weight"].shape[1] == 9 + sum(channels) and set(raw) == set(first.state_dict())
    load_unet_pth(second, tmp_path / "unet.pth")
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))


def test_other_pth_files_are_refused_by_name(tmp_path: Path) -> None:
    path, unet = tmp_path / "unet.pth", tiny.unet(ChannelLayout())
    with pytest.raises(FileNotFoundError, match="unet.pth does not exist"):
        load_unet_pth(unet, path)
    save_unet_pth(tiny.unet(ChannelLayout(pose=18)), path)
    with pytest.raises(ValueError, match="28 input channels .MGD, pose 18 and sketch., the model has 10"):
        load_unet_pth(unet, path)
    for content in (b"", b"hello", b"PK\x03\x04 and nothing else"):
        path.write_bytes(content)
        with pytest.raises(ValueError, match="unet.pth is no state dict of tensors"):
            load_unet_pth(unet, path)
    torch.save({"conv_in.weight": Marker(tmp_path / "ran")}, path)
    with pytest.raises(ValueError, match="unet.pth is no state dict of tensors"):
        load_unet_pth(unet, path)
    assert not (tmp_path / "ran").exists()
    torch.save([1, 2], path)
    with pytest.raises(ValueError, match="holds no bare state dict"):
        load_unet_pth(unet, path)


class Marker:
    """Unpickled without care, it would make a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple:
        return Path.touch, (self.path,)
