"""The model card, below everything else and closed: it matters before the first sketch, not at every one."""

from __future__ import annotations

import gradio as gr

from fashiondistill.modelcard import ModelCard
from studio import modelcards, modeltexts


def model_card(card: ModelCard) -> None:
    with gr.Accordion(modeltexts.TITLE, open=False, elem_id="model-card"):
        gr.HTML(modelcards.card_html(card))
