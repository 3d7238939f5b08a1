"""FashionDistill: weekly bestsellers, trends, and a garment diffusion model that follows them.

Public names load on first use (PEP 562), so that `from fashiondistill import Shop` never loads torch.
"""

from __future__ import annotations

import importlib

_HOME = {
    "DesignRequest": "design",
    "Design": "design",
    "ScoredDesign": "design",
    "GenerateConfig": "config",
    "Shop": "data.shop",
    "Week": "data.weeks",
    "weekly_bestsellers": "data.bestsellers",
    "make_catalogue": "data.catalogue",
    "GarmentDataset": "data.dataset",
    "GarmentSample": "data.dataset",
    "GarmentBatch": "diffusion.batches",
    "collate": "diffusion.batches",
    "cache_states": "diffusion.caches",
    "attribute_shares": "trends",
    "momentum": "trends",
    "trend_prompt": "trends",
    "forecast_shares": "forecast.shares",
    "forecast_bestsellers": "forecast.bestsellers",
    "describe_next_week": "forecast.words",
    "GarmentPipeline": "diffusion.pipeline",
    "load_pipeline": "diffusion.loading",
    "ClipScorer": "scoring",
    "rank_designs": "scoring",
}
__all__ = list(_HOME)


def __getattr__(name: str):  # noqa: ANN202 - whatever the name stands for
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return [*globals(), *__all__]
