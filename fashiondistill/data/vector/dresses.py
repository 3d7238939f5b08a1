"""Dresses and jumpsuits: a bodice from `body`, a skirt or legs from `bottoms`.

In: traits (words of the caption) and a random generator. Out: `Figure`. Knows nothing of colours.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from fashiondistill.data.vector.body import FIT, Torso, body_folds, front_of, sleeves, torso
from fashiondistill.data.vector.bottoms import trousers
from fashiondistill.data.vector.curves import band, between, box, curve
from fashiondistill.data.vector.figure import CLOTH, FOLD, METAL, PLAIN, STITCH, Figure, Line, Ridge, lines
from fashiondistill.data.vector.necks import back_of_neck, bound_neck, collar_stand, neckline, rolled_neck, shirt_collar
from fashiondistill.data.vector.skirts import skirt_part
from fashiondistill.data.vector.straps import strap_front

Traits = Mapping[str, str]
DRESS_LENGTH = {"short": 1.75, "knee length": 2.15, "midi length": 2.55, "long": 2.95}


def dress(traits: Traits, rng: np.random.Generator) -> Figure:
    """Dresses with a waist, straight shifts, shirt dresses and slip dresses."""
    figure, shape = Figure(), traits["shape"]
    bottom = DRESS_LENGTH[traits["length"]] * rng.uniform(0.96, 1.04)
    if shape in ("shift", "shirt dress", "bodycon"):
        _in_one_piece(figure, traits, bottom, rng)
    else:
        waist_level = rng.uniform(0.92, 1.05)
        body = torso(rng, "slim fit", length="")
        body = Torso(
            **(
                body.__dict__
                | {"length": waist_level, "waist": body.chest * 0.88, "hem": body.chest * 0.78, "hem_curve": 0.02}
            )
        )
        skirt_part(figure, (waist_level - 0.02, body.hem, bottom), shape, rng)
        _bodice(figure, body, traits, rng)
        seam = curve([(-body.hem, waist_level - 0.035), (0, waist_level - 0.012), (body.hem, waist_level - 0.035)])
        belt = between(seam, seam + (0, 0.05))
        figure.add(belt, CLOTH, puff=0.015, lift=0.008, crumple=0.5, drape=0.2)
        if traits.get("waist") == "tie belt":
            _tie(figure, waist_level, rng)
    figure.anchor, figure.print_size = (0.0, 0.6), 0.36
    return figure


def _tie(figure: Figure, level: float, rng: np.random.Generator) -> None:
    for side in (-1, 1):
        end = curve(
            [
                (0.06, level),
                (0.06 + side * 0.05, level + 0.2),
                (0.06 + side * rng.uniform(0.06, 0.12), level + rng.uniform(0.4, 0.6)),
            ]
        )
        figure.add(band(end, 0.055), CLOTH, puff=0.02, lift=0.014, crumple=0.6, drape=0.6)
    for side in (-1, 1):
        loop = curve(
            [
                (0.06, level),
                (0.06 + side * 0.16, level - 0.06),
                (0.06 + side * 0.17, level + 0.06),
                (0.06, level + 0.01),
            ],
            closed=True,
        )
        figure.add(
            loop,
            CLOTH,
            puff=0.03,
            lift=0.016,
            crumple=0.6,
            lines=lines(curve([(0.06 + side * 0.03, level), (0.06 + side * 0.12, level + 0.01)]), style=FOLD),
        )
    figure.add(box(0.025, level - 0.04, 0.095, level + 0.045, round_by=0.025), CLOTH, puff=0.03, lift=0.016)


def _bodice(figure: Figure, body: Torso, traits: Traits, rng: np.random.Generator) -> None:
    """The upper part of a dress: straps, or neck and sleeves."""
    sleeve = traits["sleeve"]
    if sleeve == "thin straps":
        strap_front(figure, body, traits["neck"], rng, marks=_darts(body), strength=0.7)
        return
    sleeveless = sleeve == "sleeveless"
    wide = {"square neck": 1.35, "boat neck": 1.6, "scoop neck": 1.25}.get(traits["neck"], 1.05)
    body = Torso(**(body.__dict__ | {"neck": min(body.neck * wide, body.shoulder - 0.17)}))
    front = neckline("crew neck" if traits["neck"] == "turtleneck" else traits["neck"], body.neck, rng)
    back_of_neck(figure, front, body.neck)
    if not sleeveless:
        sleeves(
            figure,
            body,
            sleeve,
            rng,
            cuff="buttoned" if sleeve == "long sleeves" and rng.random() < 0.5 else "hem",
            wide=rng.uniform(0.95, 1.3),
        )
    front_of(
        figure,
        body,
        front,
        sleeveless=sleeveless,
        options={"lines": _darts(body), "ridges": body_folds(rng, body, 0.7, sleeves=not sleeveless)},
    )
    if traits["neck"] == "turtleneck":
        rolled_neck(figure, body.neck, high=0.14)
    else:
        bound_neck(figure, front, wide=0.026, ribbed=False, role=CLOTH)


def _darts(body: Torso) -> tuple[Line, ...]:
    """Seams that shape the bust."""
    x = body.chest * 0.48
    dart = curve([(x, body.length), (x * 1.04, body.length - 0.2), (x * 1.02, body.length - 0.38)])
    return lines(dart, dart * (-1, 1), weight=0.5)


def _in_one_piece(figure: Figure, traits: Traits, bottom: float, rng: np.random.Generator) -> None:
    """Shift, bodycon and shirt dresses: a torso that goes on to the hem."""
    shape = traits["shape"]
    fit = "slim fit" if shape == "bodycon" else "regular fit"
    body = torso(rng, fit)
    hem = {"shift": 0.64, "bodycon": 0.46, "shirt dress": 0.62}[shape] * rng.uniform(0.95, 1.08)
    waist = {"shift": 0.52, "bodycon": 0.41, "shirt dress": 0.5}[shape]
    body = Torso(**(body.__dict__ | {"length": bottom, "hem": hem, "waist": waist, "hem_curve": 0.03}))
    sleeve, neck = traits["sleeve"], traits["neck"]
    hang = tuple(_hanging(body, rng))
    hem_line = curve([(-hem, bottom - 0.05), (0, bottom - 0.02), (hem, bottom - 0.05)])
    marks = lines(hem_line, style=STITCH, weight=0.6) + lines(hem_line - (0, 0.012), weight=0.25)
    if sleeve == "thin straps":
        strap_front(figure, body, neck, rng, marks=marks, strength=0.8)
        return
    sleeveless = sleeve == "sleeveless"
    collared = shape == "shirt dress"
    if collared:
        collar_stand(figure, body.neck)
        front = neckline("crew neck", body.neck, rng)
    else:
        wide = {"square neck": 1.35, "boat neck": 1.6, "scoop neck": 1.25}.get(neck, 1.05)
        body = Torso(**(body.__dict__ | {"neck": min(body.neck * wide, body.shoulder - 0.17)}))
        front = neckline("crew neck" if neck == "turtleneck" else neck, body.neck, rng)
        back_of_neck(figure, front, body.neck)
    if not sleeveless:
        sleeves(figure, body, sleeve, rng, cuff="buttoned" if collared and sleeve == "long sleeves" else "hem")
    ridges = body_folds(rng, body, FIT[fit][4], sleeves=not sleeveless) + hang
    front_of(figure, body, front, sleeveless=sleeveless, options={"lines": marks, "ridges": ridges})
    if collared:
        placket = box(-0.038, 0.1, 0.038, bottom + 0.025)
        inner = lines(*(np.array([(x, 0.1), (x, bottom)]) for x in (-0.028, 0.028)), style=STITCH, weight=0.4)
        figure.add(placket, puff=0.012, lift=0.006, crumple=0.6, drape=0.3, lines=inner)
        for y in np.arange(0.16, bottom - 0.2, 0.22):
            figure.button(0, float(y), 0.018)
        shirt_collar(figure, body.neck, spread=0.2, drop=0.26)
        if traits.get("waist") == "tie belt":
            level = 0.98
            half = float(np.interp(level, [0.6, 1.2, bottom], [body.chest, waist, hem])) + 0.01
            figure.add(box(-half, level - 0.035, half, level + 0.035), CLOTH, puff=0.02, lift=0.01, crumple=0.5)
            _tie(figure, level, rng)
    elif neck == "turtleneck":
        rolled_neck(figure, body.neck, high=0.14)
    else:
        bound_neck(figure, front, wide=0.03, ribbed=False, role=CLOTH)


def _hanging(body: Torso, rng: np.random.Generator) -> list[Ridge]:
    """Long folds from the waist to the hem."""
    found = []
    for share in rng.uniform(-0.85, 0.85, int(rng.integers(3, 6))):
        top = rng.uniform(0.9, 1.3)
        path = curve(
            [
                (share * body.waist * 0.9, top),
                (share * body.hem * 0.95, (top + body.length) / 2),
                (share * body.hem, body.length + 0.1),
            ]
        )
        found.append(Ridge(path, rng.uniform(0.008, 0.018), rng.choice([0.02, 0.03])))
    return found


def jumpsuit(traits: Traits, rng: np.random.Generator) -> Figure:
    """A bodice above trousers."""
    figure = Figure()
    level = rng.uniform(0.92, 1.0)
    legs = trousers({"style": "elastic", "leg": traits["leg"], "length": traits["length"]}, rng)
    body = torso(rng, "slim fit")
    shift = np.array([0.0, level - 0.02])
    width = float(max(panel.outline[:, 0].max() for panel in legs.panels[:1]))
    figure.panels += [panel.moved(lambda points: points + shift) for panel in legs.panels[1:]]
    body = Torso(
        **(body.__dict__ | {"length": level + 0.02, "waist": body.chest * 0.93, "hem": width * 1.02, "hem_curve": 0.03})
    )
    belt = figure.panels.pop()
    _bodice(figure, body, traits, rng)
    figure.panels.append(belt)
    if traits.get("closure") == "zip":
        path = np.array([(0.0, 0.3), (0.0, level)])
        figure.add(band(path, 0.03), PLAIN, puff=0.006, lift=0.003, lines=lines(path, style="edge"))
        figure.add(box(-0.012, 0.31, 0.012, 0.38, round_by=0.008), METAL, puff=0.008, lift=0.008)
    figure.anchor, figure.print_size = (0.0, 0.6), 0.3
    return figure
