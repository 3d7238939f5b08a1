"""The page's looks: neutral greys, one accent, fonts of the visitor's own system.

Out: a gradio theme, made when asked for, without any request to another host.
"""

from __future__ import annotations

from pathlib import Path

import gradio as gr

CSS_PATH = Path(__file__).parent / "static" / "studio.css"
FONTS = ("-apple-system", "Segoe UI", "Roboto", "Helvetica Neue", "Arial", "sans-serif")
ACCENT = gr.themes.Color(  # deep green; 600 on white and white on 600 have contrast 5.9
    name="studio",
    c50="#eef7f4", c100="#d7ece5", c200="#b0d9cc", c300="#82c1ae", c400="#54a48e", c500="#378871",
    c600="#246b58", c700="#1d5748", c800="#19463b", c900="#153a31", c950="#0a211b",
)  # fmt: skip


def studio_theme() -> gr.themes.Base:
    """Neutral surfaces, flat blocks, an accent kept for the one main action and for what is chosen."""
    theme = gr.themes.Base(
        primary_hue=ACCENT,
        secondary_hue=ACCENT,
        neutral_hue=gr.themes.colors.zinc,
        font=FONTS,
        font_mono=("ui-monospace", "Menlo", "Consolas", "monospace"),
        radius_size=gr.themes.sizes.radius_md,
        text_size=gr.themes.sizes.text_md,
        spacing_size=gr.themes.sizes.spacing_md,
    )
    return theme.set(
        body_background_fill="#fafafa",
        body_background_fill_dark="#131315",
        background_fill_primary="#ffffff",
        background_fill_primary_dark="#1c1c1f",
        background_fill_secondary="#f4f4f5",
        background_fill_secondary_dark="#232327",
        block_background_fill="#ffffff",
        block_background_fill_dark="#1c1c1f",
        block_border_width="1px",
        block_border_color="#e4e4e7",
        block_border_color_dark="#303036",
        border_color_primary="#e4e4e7",
        border_color_primary_dark="#303036",
        block_shadow="none",
        block_shadow_dark="none",
        block_label_text_color="#52525b",
        block_label_text_color_dark="#a1a1aa",
        block_title_text_color="#3f3f46",
        block_title_text_color_dark="#d4d4d8",
        block_title_text_size="13px",
        block_title_text_weight="600",
        block_info_text_color="#5f5f68",
        block_info_text_color_dark="#a1a1aa",
        block_info_text_size="12px",
        body_text_color="#1f1f23",
        body_text_color_dark="#ececee",
        body_text_color_subdued="#5f5f68",
        body_text_color_subdued_dark="#a1a1aa",
        input_background_fill="#ffffff",
        input_background_fill_dark="#232327",
        input_border_width="1px",
        input_border_width_dark="1px",
        input_border_color="#d4d4d8",
        input_border_color_dark="#3a3a41",
        input_border_color_focus="*primary_600",
        input_border_color_focus_dark="*primary_400",
        color_accent="*primary_600",
        color_accent_soft="*primary_50",
        color_accent_soft_dark="*primary_900",
        slider_color="*primary_600",
        slider_color_dark="*primary_400",
        button_primary_background_fill="*primary_600",
        button_primary_background_fill_hover="*primary_700",
        button_primary_background_fill_dark="*primary_600",
        button_primary_background_fill_hover_dark="*primary_500",
        button_primary_border_color="*primary_600",
        button_primary_text_color="#ffffff",
        button_primary_text_color_dark="#ffffff",
        button_secondary_background_fill="#ffffff",
        button_secondary_background_fill_hover="#f4f4f5",
        button_secondary_background_fill_dark="#232327",
        button_secondary_background_fill_hover_dark="#2d2d33",
        button_secondary_border_color="#d4d4d8",
        button_secondary_border_color_dark="#3a3a41",
        button_secondary_text_color="#27272a",
        button_secondary_text_color_dark="#ececee",
        button_large_text_weight="600",
        button_small_text_weight="500",
        button_border_width="1px",
        button_border_width_dark="1px",
        layout_gap="12px",
    )
