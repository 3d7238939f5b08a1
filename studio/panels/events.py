"""How events answer: options that the panels share."""

from __future__ import annotations


def quiet() -> dict:
    """Options of events that answer at once and are no part of the API."""
    return {"show_progress": "hidden", "api_visibility": "private"}


def following() -> dict:
    """Options of events that follow a choice: each choice counts, in turn, so that the last one stays.

    Not trigger_mode "always_last", and `.change` rather than `.input`: in gradio 6.31 a dropdown's `.input` fires
    twice, and three deferred listeners of one dropdown then trigger each other without end (40 requests a second).
    """
    return quiet() | {"trigger_mode": "multiple", "concurrency_limit": 1}
