"""What README shows is run: every command, with its own flags, and every file that it points to."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```bash\n(.*?)```", README, flags=re.DOTALL)
LINES = [line.split("#")[0].strip() for block in BLOCKS for line in block.replace("\\\n", " ").splitlines()]
COMMANDS = [part.strip() for line in LINES if line for part in line.split("&&")]
# Asked for data or a GPU that a test machine lacks: they must get past their flags and name what is missing.
NEEDS_DATA = ("fashiondistill.prepare", "fashiondistill.predict", "train.")


def _run(words: list[str], cwd: Path, timeout: float = 240) -> subprocess.CompletedProcess:
    return subprocess.run(words, cwd=cwd, capture_output=True, text=True, timeout=timeout)


def test_readme_has_the_two_commands_first():
    assert LINES[0] == "pip install -r requirements.txt && python app.py"
    assert LINES[1] == "pip install -r requirements.txt -r tests/requirements.txt && python -m pytest"


def test_ci_runs_what_readme_says():
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert "pip install -q -r requirements.txt -r tests/requirements.txt" in script and "python -m pytest" in script


def test_every_command_is_of_a_kind_that_is_run_here():
    for command in COMMANDS:
        known = command.startswith(("pip install -r ", "python app.py", "python -m pytest", "python -m benchmarks."))
        assert known or command.startswith("python -m fashiondistill.") or command.startswith("python -m train."), (
            command
        )


@pytest.mark.parametrize("command", [c for c in COMMANDS if c.startswith("pip install")])
def test_what_is_installed_exists(command):
    files = [word for word in shlex.split(command) if word.endswith(".txt")]
    assert files and all((ROOT / name).is_file() for name in files)


@pytest.mark.parametrize("command", [c for c in COMMANDS if c.startswith("python -m benchmarks.")])
def test_benchmarks_exist_and_take_their_flags(command):
    words = shlex.split(command)
    result = _run([sys.executable, *words[1:], "--help"], ROOT)
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("command", [c for c in COMMANDS if any(name in c for name in NEEDS_DATA)])
def test_training_commands_take_their_flags(command, tmp_path):
    words = shlex.split(command)
    (tmp_path / "work").mkdir()
    result = _run([sys.executable, *words[1:]], ROOT) if "DIR" not in command else None
    if result is None:
        replaced = [word.replace("DIR", str(tmp_path / "missing")) for word in words[1:]]
        result = _run([sys.executable, *replaced], ROOT)
    assert result.returncode == 2 and result.stderr.splitlines()[-1].startswith("error: "), result.stderr


@pytest.mark.bundle
@pytest.mark.parametrize("command", [c for c in COMMANDS if "fashiondistill.generate" in c])
def test_generate_command_draws(command, tmp_path):
    words = shlex.split(command)
    out = tmp_path / words[words.index("--out") + 1]
    words[words.index("--out") + 1] = str(out)
    result = _run([sys.executable, *words[1:]], ROOT)
    assert result.returncode == 0, result.stderr
    assert {"ranking.json", "contact_sheet.png", "run.json", "rank_1.png"} <= {path.name for path in out.iterdir()}


@pytest.mark.parametrize("command", [c for c in COMMANDS if "fashiondistill.data.catalogue" in c])
def test_catalogue_command_writes(command, tmp_path):
    words = shlex.split(command)
    words[words.index("--out") + 1] = str(tmp_path / "shop")
    result = _run([sys.executable, *words[1:]], ROOT)
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "shop" / "articles.csv").is_file()


@pytest.mark.bundle
@pytest.mark.parametrize("command", sorted({c for c in COMMANDS if c.startswith("python app.py")}))
def test_app_command_opens_the_page(command):
    words = [sys.executable, *shlex.split(command)[1:], "--port", "7998"]
    server = subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        answered = False
        for _ in range(600):
            try:
                with urllib.request.urlopen("http://127.0.0.1:7998", timeout=5) as page:
                    answered = page.status == 200
                    break
            except OSError:
                assert server.poll() is None, server.stdout.read()
                time.sleep(0.2)
        assert answered
    finally:
        server.terminate()
        server.wait(timeout=20)


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\]\((?!https?:)([^)#]+)\)", README))))
def test_files_that_readme_points_to_exist(target):
    assert (ROOT / target).exists()
