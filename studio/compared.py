"""Models that the page's blind test sets against each other.

In: --model, which is open already, and the folders of --compare_models. Out: `ComparedModel`s, each loaded when it is
first needed. Whoever draws with one holds the engine's `turn`. Knows nothing of pages.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from fashiondistill.design import Design, DesignRequest
from fashiondistill.diffusion.defaults import INDEX
from studio.embeddings import NUM_CACHED
from studio.engine import StepDone

if TYPE_CHECKING:
    from fashiondistill.diffusion.past import Past
    from fashiondistill.diffusion.pipeline import GarmentPipeline
    from studio.engine import DesignEngine

GENERIC = ("final_model", "pipeline")  # what train.temporal and train.dpo call the folder of every model


class ComparedModel:
    """One model; takes no memory until `load`.

    Args:
        name: what a revealed side is called.
        folder: its pipeline.
        engine: whose sales tell a temporal model the past.
        pipeline: if it is open already.
    """

    def __init__(self, name: str, folder: Path, engine: DesignEngine, pipeline: GarmentPipeline | None = None) -> None:
        self.name, self.folder, self._engine, self._pipeline = name, folder, engine, pipeline
        self._past = lru_cache(maxsize=NUM_CACHED)(self._gather_past)

    def load(self) -> str:
        """Load it, unless it is; returns the digest of its weights (12 hex digits).

        Raises:
            FileNotFoundError, ValueError: naming the file that is missing or damaged.
            MemoryError: when the device has too little memory for one more model.
        """
        import torch

        from fashiondistill.diffusion.checkpoints import weights_id
        from fashiondistill.diffusion.loading import load_pipeline

        if self._pipeline is None:
            try:
                self._pipeline = load_pipeline(self.folder, self._engine.config.device)
            except torch.OutOfMemoryError as error:
                raise MemoryError(
                    f"the model's device has no memory left for {self.folder}. Start the studio with fewer "
                    "--compare_models, or with --device cpu."
                ) from error
        own = self._pipeline.model_id.rpartition("-")[2]  # of what was loaded: the folder may have changed since
        return weights_id(self.folder) if own == "unlisted" else own

    def draw(self, request: DesignRequest) -> Iterator[StepDone | Design]:
        """The request's candidates, not scored. Call `load` first, and hold the engine's turn.

        Raises:
            ValueError: for a prompt that is too long for this model.
            MemoryError: when the device has too little memory; the model stays usable.
        """
        import torch

        assert self._pipeline is not None, "load comes first"
        past = self._past(request.category, request.week)
        try:
            with closing(self._pipeline.stream(request, past)) as events:
                for event in events:
                    is_design = isinstance(event, Design)
                    yield event if is_design else StepDone(event.index, event.step, event.total_steps, event.count)
        except torch.OutOfMemoryError as error:
            raise MemoryError(
                "the model's device ran out of memory. Start the studio with fewer --compare_models, or with "
                "--device cpu."
            ) from error

    def _gather_past(self, category: str, week: str) -> Past | None:
        """As `DesignEngine` does for its own model, but with the CLIP that this one's trend encoder has learnt."""
        if self._pipeline.trend is None:
            return None
        from fashiondistill.diffusion.past import shop_past
        from fashiondistill.scoring import ClipScorer

        clip = ClipScorer.load(self.folder / "clip", self._engine.config.device)
        return shop_past(self._engine.shop, category, week, self._pipeline.trend, clip.embed_images)


def compared_models(engine: DesignEngine) -> tuple[ComparedModel, ...]:
    """The engine's own model and those of its --compare_models; () if there are none.

    Raises:
        FileNotFoundError: for a folder that holds no pipeline.
        ValueError: for a model that is given twice.
    """
    given = engine.config.compare_models
    if not given:
        return ()
    folders = [Path(engine.config.model), *map(Path, given)]
    for folder in folders[1:]:
        if not (folder / INDEX).is_file():
            written = folder.joinpath(*GENERIC)
            inside = f"Give {written}" if (written / INDEX).is_file() else "Check the path"
            raise FileNotFoundError(f"--compare_models {folder} is not usable: it holds no model_index.json. {inside}.")
    _require_different(folders)
    names = model_names(folders)
    pipelines = [engine.pipeline, *[None] * len(given)]
    return tuple(
        ComparedModel(name, folder, engine, pipeline)
        for name, folder, pipeline in zip(names, folders, pipelines, strict=True)
    )


def _require_different(folders: Sequence[Path]) -> None:
    """Before anything is loaded, by folder and by weights; one more digest of each is cheaper than a wasted round."""
    from fashiondistill.diffusion.checkpoints import weights_id

    seen: dict[str, Path] = {}
    for folder in folders:
        before = seen.setdefault(weights_id(folder), folder)
        if before is not folder:
            raise ValueError(
                f"--compare_models {folder} is not usable: it is the same model as {before}. Leave one of them out."
            )


def model_names(folders: Sequence[Path]) -> list[str]:
    """The shortest ends of the paths that tell them apart, without what all trained models' folders are called."""
    parts = []
    for folder in folders:
        kept = list(folder.resolve().parts)
        while len(kept) > 2 and kept[-1] in GENERIC:
            kept.pop()
        parts.append(kept)
    lengths = [1] * len(parts)
    while True:
        names = ["/".join(kept[-length:]) for kept, length in zip(parts, lengths, strict=True)]
        twice = {name for name, count in Counter(names).items() if count > 1}
        longer = [
            length + (name in twice and length < len(kept))
            for name, length, kept in zip(names, lengths, parts, strict=True)
        ]
        if longer == lengths:
            return names
        lengths = longer
