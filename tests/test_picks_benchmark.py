"""The proof of benchmarks.picks at tiny size: the taste is what it says, and the command runs from picks to report."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from benchmarks import picks
from fashiondistill.data.drawings import draw_garment
from fashiondistill.store import read_picks
from fashiondistill.store.designs import read_picture
from tests import tiny
from tests.training import make_ground


def drawn(colours: tuple[str, ...], pattern: str) -> float:
    return picks.taste(draw_garment("t-shirt", colours=colours, pattern=pattern, seed=1).image)


def test_the_taste_is_for_dark_and_plain():
    black, navy, white = (drawn((colour,), "plain") for colour in ("black", "navy", "white"))
    assert black > navy > white
    assert navy > drawn(("navy", "white"), "striped") and black > drawn(("black", "red"), "printed")
    assert picks.taste(np.full((512, 384, 3), 246, np.uint8)) == -1


def test_the_ratio_of_means_has_the_interval_of_pairs():
    base = np.random.default_rng(1).uniform(1, 2, 40)
    assert picks.ratio_of(0.8 * base, base) == pytest.approx((0.8, 0.8, 0.8))
    ratio, low, high = picks.ratio_of(base[::-1], base)
    assert ratio == pytest.approx(1) and low < 1 < high


def test_the_command_goes_from_picks_to_a_report(tmp_path, capsys):
    ground = make_ground(tmp_path / "ground")
    tiny.save_clip_folder(tmp_path / "judge" / "clip", seed=5)
    words = ["--out", tmp_path / "out", "--model", ground.model, "--judge", tmp_path / "judge"]
    words += ["--dataset_path", ground.data, "--num_picks", 3, "--num_candidates", 2, "--num_held_out", 3]
    words += ["--num_inference_steps", 2, "--max_train_steps", 2, "--batch_size", 2, "--image_size", 128, 96]
    words += ["--gradient_accumulation_steps", 1, "--learning_rate", 1e-3, "--ema_decay", 0, "--num_workers", 0]
    words = [str(word) for word in (*words, "--device", "cpu")]
    assert picks.main(words) == 0
    printed = capsys.readouterr().out
    assert "judge_win_rate" in printed and "3 picks, n = 3 held-out sketches" in printed
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    figures = report["figures"]
    assert 0 <= figures["judge_win_rate_average"] <= 1 and figures["judge_gain_std"] > 0  # the model did change
    assert len(report["reached"]) == 2 and report["picks"] == 3
    assert Image.open(tmp_path / "out" / "sheet.jpg").size == (4 * 192, 3 * 256)
    for pick in read_picks(tmp_path / "out" / "store"):
        likes = [picks.taste(read_picture(one.file.read_bytes())) for one in (pick.winner, *pick.losers)]
        assert likes[0] == max(likes) and pick.prompt in picks.PICKED
    before = (tmp_path / "out" / "store" / "studio.sqlite").read_bytes()
    assert picks.main(words) == 0  # nothing is picked or trained again
    assert (tmp_path / "out" / "store" / "studio.sqlite").read_bytes() == before
    assert json.loads((tmp_path / "out" / "report.json").read_text())["figures"] == figures
