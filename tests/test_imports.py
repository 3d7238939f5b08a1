"""The import direction of the design, and what must never stand in library or training: read from the source."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("fashiondistill", "studio", "train")
FILES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py")) + [ROOT / "app.py"]

# fashiondistill, from the bottom up; a module imports its own layer and those below, but see `TOP`.
LAYERS = (
    {"config", "cli", "design", "images"},
    {"data"},
    {
        "annotators",
        "adherence",
        "explain",
        "export",
        "exports",
        "diffusion",
        "scoring",
        "trends",
        "signals",
        "looks",
        "modelcard",
        "forecast",
        "store",
        "predictionfiles",
    },
    {"predict", "prepare", "generate"},
)
TOP = LAYERS[-1]  # entry points: nobody imports them, their neighbours included
GRADIO_FILES = {"app.py", "studio/components.py", "studio/layout.py", "studio/theme.py", "studio/panels/"}
OWNERS = {  # package -> the only files (or folders) that may import it
    "gradio": GRADIO_FILES,
    "open_clip": {"fashiondistill/scoring.py", "train/starter/"},
    "accelerate": {"train/loop.py"},
    "peft": {"train/adapters.py"},
    "wandb": {"train/loop.py"},
    "tensorboard": {"train/loop.py"},
    "fpdf": {"fashiondistill/exports/linesheet.py"},
    "plotly": {"studio/plots.py", "studio/trendplots.py"},
    "matplotlib": {"train/charts.py", "fashiondistill/exports/linesheet.py"},
    "rembg": {"fashiondistill/data/masks.py"},
    "controlnet_aux": {"fashiondistill/annotators.py"},
}
FORBIDDEN_MODULES = {"pickle", "cPickle", "dill", "joblib", "cloudpickle", "shelve", "marshal"}


def name_of(path: Path) -> str:
    """fashiondistill/data/shop.py -> fashiondistill.data.shop."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def only_for_types(tree: ast.Module) -> set[ast.AST]:
    """Nodes under `if TYPE_CHECKING:`, which never run."""
    found: set[ast.AST] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            found |= {child for statement in node.body for child in ast.walk(statement)}
    return found


def imports_of(source: str, *, types_too: bool = True) -> Iterator[str]:
    """Dotted names that a source imports, wherever the statement stands; `from a import b` gives a and a.b."""
    tree = ast.parse(source)
    skipped = set() if types_too else only_for_types(tree)
    for node in ast.walk(tree):
        if node in skipped:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." * node.level + (node.module or "")
            if not node.level:
                yield from (f"{node.module}.{alias.name}" for alias in node.names)


def is_below(path: Path, allowed: set[str]) -> bool:
    """Whether a file is one of `allowed`, or in one of its folders."""
    relative = path.relative_to(ROOT).as_posix()
    return any(relative == entry or (entry.endswith("/") and relative.startswith(entry)) for entry in allowed)


def faults(path: Path, source: str) -> list[str]:
    """What a file imports against the design."""
    module, found = name_of(path), []
    package = module.partition(".")[0]
    for name in imports_of(source):
        top = name.partition(".")[0]
        if name.startswith("."):
            found.append("a relative import")
        if package == "fashiondistill" and top in ("studio", "train", "app", "tests"):
            found.append(f"the library imports {name}")
        if package in ("train", "studio") and top in {"train", "studio", "app", "tests"} - {package}:
            found.append(f"{package} imports {name}")
        if package != "app" and top == "app":
            found.append("imports the entry point")
        if top in OWNERS and not is_below(path, OWNERS[top]):
            found.append(f"imports {top}, which belongs to {', '.join(sorted(OWNERS[top]))}")
        if top in FORBIDDEN_MODULES:
            found.append(f"imports {top}")
        if package == "fashiondistill" and top == "fashiondistill":
            found += layer_fault(module, name)
    return found


def layer_fault(module: str, name: str) -> list[str]:
    """One message if `module` of the library may not import `name` of the library."""
    importer, imported = ((dotted.split(".") + [""])[1] for dotted in (module, name))
    if not importer or not imported:  # the package itself: `from fashiondistill import x` also gives x
        return []
    ranks = {part: rank for rank, layer in enumerate(LAYERS) for part in layer}
    if imported not in ranks or importer not in ranks:
        return [f"{importer} or {imported} has no layer: add it to LAYERS here and to the design"]
    if ranks[imported] > ranks[importer] or (imported in TOP and imported != importer):
        return [f"{module} imports {name}, which stands above it"]
    return []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_imports_follow_the_design(path: Path) -> None:
    assert faults(path, path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("path", "source", "words"),
    [
        ("fashiondistill/data/x.py", "from fashiondistill.scoring import ClipScorer", "stands above it"),
        ("fashiondistill/config.py", "import fashiondistill.data.weeks", "stands above it"),
        ("fashiondistill/images.py", "def f():\n    from fashiondistill import trends", "stands above it"),
        ("fashiondistill/trends.py", "from fashiondistill.generate import main", "stands above it"),
        ("fashiondistill/generate.py", "from fashiondistill.prepare import main", "stands above it"),
        ("fashiondistill/new.py", "from fashiondistill.config import ASSETS", "has no layer"),
        ("fashiondistill/scoring.py", "import studio.engine", "the library imports studio.engine"),
        ("fashiondistill/scoring.py", "from train.starter import clip", "the library imports train.starter"),
        ("fashiondistill/scoring.py", "from . import design", "a relative import"),
        ("fashiondistill/store.py", "import gradio as gr", "imports gradio"),
        ("studio/callbacks.py", "import gradio as gr", "imports gradio"),
        ("studio/state.py", "from train.starter import clip", "studio imports train.starter"),
        ("train/dpo.py", "from studio.engine import DesignEngine", "train imports studio.engine"),
        ("train/dpo.py", "from accelerate import Accelerator", "imports accelerate"),
        ("fashiondistill/store.py", "import pickle", "imports pickle"),
        ("studio/engine.py", "from app import launch", "studio imports app"),
    ],
)
def test_the_checks_find_what_they_are_for(path: str, source: str, words: str) -> None:
    assert any(words in fault for fault in faults(ROOT / path, source))


def test_the_checks_allow_what_the_design_does() -> None:
    for path, source in (
        ("fashiondistill/data/shop.py", "from fashiondistill.data.weeks import Week\nimport fashiondistill.config"),
        ("fashiondistill/forecast.py", "from fashiondistill.trends import momentum"),
        ("fashiondistill/generate.py", "from fashiondistill import export"),
        ("train/starter/clip.py", "import open_clip\nfrom fashiondistill.data.vitonhd import ArticleRecord"),
        ("app.py", "from studio.layout import build_page\nimport gradio"),
    ):
        assert faults(ROOT / path, source) == []


def calls_and_handlers(path: Path) -> Iterator[str]:
    """What must not be loaded, trusted or swallowed, with line numbers."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ExceptHandler):
            caught = {n.id for n in ast.walk(node.type) if isinstance(n, ast.Name)} if node.type else {"BaseException"}
            if caught & {"Exception", "BaseException"}:
                yield f"line {node.lineno}: except {', '.join(caught)}"
        if isinstance(node, ast.keyword) and isinstance(node.value, ast.Constant):
            if (node.arg, node.value.value) in (("trust_remote_code", True), ("weights_only", False)):
                yield f"line {node.value.lineno}: {node.arg}={node.value.value}"
            if (node.arg, node.value.value) == ("allow_pickle", True):
                yield f"line {node.value.lineno}: allow_pickle=True"
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            if called == "torch.load" and not any(k.arg == "weights_only" for k in node.keywords):
                yield f"line {node.lineno}: torch.load without weights_only=True"
            if called in ("eval", "exec", "compile", "os.system", "__import__"):
                yield f"line {node.lineno}: {called}"


@pytest.mark.parametrize(
    "path",
    [p for p in FILES if p.parts[len(ROOT.parts)] != "studio"],
    ids=lambda path: path.relative_to(ROOT).as_posix(),
)
def test_nothing_unsafe_is_loaded_and_no_error_swallowed(path: Path) -> None:
    assert list(calls_and_handlers(path)) == []


@pytest.mark.parametrize(
    "line",
    [
        "try:\n    f()\nexcept Exception:\n    pass",
        "try:\n    f()\nexcept:\n    pass",
        "try:\n    f()\nexcept (OSError, Exception) as error:\n    pass",
        "AutoModel.from_pretrained(x, trust_remote_code=True)",
        "torch.load(x, weights_only=False)",
        "torch.load(x)",
        "np.load(x, allow_pickle=True)",
        "eval(text)",
    ],
)
def test_unsafe_lines_are_found(tmp_path: Path, line: str) -> None:
    (tmp_path / "a.py").write_text(line, encoding="utf-8")
    assert len(list(calls_and_handlers(tmp_path / "a.py"))) == 1


def test_heavy_packages_stay_out_of_the_lower_layers() -> None:
    """design.py is numpy only, the data layer works without torch, and no module of the library pulls in a page."""
    for path in FILES:
        relative = path.relative_to(ROOT).as_posix()
        tops = {name.partition(".")[0] for name in imports_of(path.read_text(encoding="utf-8"), types_too=False)}
        if relative.startswith("fashiondistill/data/"):
            assert not tops & {"torch", "diffusers", "transformers", "open_clip"}, relative
        if relative == "fashiondistill/design.py":
            assert tops - {"fashiondistill"} <= set(sys.stdlib_module_names) | {"numpy"}
        if relative in ("fashiondistill/config.py", "fashiondistill/cli.py"):
            assert tops - {"fashiondistill"} <= set(sys.stdlib_module_names)
