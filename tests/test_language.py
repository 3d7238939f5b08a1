"""Another language is one file: it fits the English texts, is really another language, and fills the whole page."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest

import app
from fashiondistill.config import StudioConfig
from fashiondistill.data.articles import GARMENTS
from fashiondistill.data.attributes import COLOURS, PATTERNS
from fashiondistill.data.categories import CATEGORIES
from fashiondistill.data.shop import NOUN_OF_PRODUCT_TYPE
from fashiondistill.data.vocabulary import details_of
from fashiondistill.data.weeks import Week
from fashiondistill.store import Store
from fashiondistill.trends import HEADLINES, Headline
from studio import (
    blindtexts,
    boardtexts,
    callbacks,
    canvastexts,
    cards,
    checks,
    drawer,
    errortexts,
    language,
    texts,
    trendboard,
    trendtexts,
)
from studio.library import Library
from studio.state import ResultsView, StudioError
from tests.fake_engine import FakeModel
from tests.studio_page import Studio

STUDIO = Path(language.__file__).parent
TRANSLATED = [name for name in language.available() if name != language.ENGLISH]
SAME = {  # texts that may be those of English: names, keys, formats, and words that both languages share
    "FashionDistill Studio", "ZIP", "CLIP-I", "CLIP-T", "Live", "Trends", "Zoom", "Theta", "Drift",
    "{word}, {week}", "{units}, {share} %", "{word}, {trend}", "{day} {year}, {time}",
    "{attribute} in {week}: {counted}. {rule}",
    "B, E", "L, C", "R, O", "M", "Q", "0", "?", "{clip_i:g} CLIP-I + {clip_t:g} CLIP-T",
}  # fmt: skip
# Words that stand in a text function though no language has another: names of measures.
MEASURES = {"WAPE", "MASE"}


@pytest.fixture
def german() -> Iterator[None]:
    language.choose("de")
    yield
    language.choose(language.ENGLISH)


def pairs(name: str) -> Iterator[tuple[str, str, str]]:
    """Where, in English, in the other language."""

    def walk(where: str, english: language.Text, other: language.Text) -> Iterator[tuple[str, str, str]]:
        if isinstance(english, str):
            yield where, english, other
            return
        keys = english if isinstance(english, dict) else range(len(english))
        for key in keys:
            yield from walk(f"{where}.{key}", english[key], other[key])

    found = language.read(name)
    for module, constants in language.CATALOGUE.items():
        for constant, english in constants.items():
            if constant != language.OPEN:
                yield from walk(f"{module}.{constant}", english, found[module][constant])


@pytest.mark.parametrize("name", TRANSLATED)
def test_every_text_is_translated_and_has_the_places_of_english(name: str) -> None:
    assert len(list(pairs(name))) > 350  # read() has checked keys, forms and places
    months = [other for where, _, other in pairs(name) if where.startswith("texts.MONTHS")]
    assert len(set(months)) == 12


@pytest.mark.parametrize("name", TRANSLATED)
def test_nothing_is_left_in_english_but_for_a_few_names(name: str) -> None:
    alike = {f"{where} = {english}" for where, english, other in pairs(name) if english == other}
    assert {one for one in alike if one.partition(" = ")[2] not in SAME and "MONTHS" not in one} == set()


@pytest.mark.parametrize("name", TRANSLATED)
def test_figures_are_those_of_english(name: str) -> None:
    """Rules tell their numbers, which come from constants of the library."""
    for where, english, other in pairs(name):
        assert sorted(re.findall(r"\d+(?:\.\d+)?", english)) == sorted(re.findall(r"\d+(?:\.\d+)?", other)), where


@pytest.mark.parametrize("name", TRANSLATED)
def test_every_word_of_trends_has_a_label(name: str) -> None:
    words = {one.word for one in COLOURS} | set(PATTERNS) | set(GARMENTS) | set(NOUN_OF_PRODUCT_TYPE.values())
    words |= {detail.words for one in CATEGORIES for detail in details_of(one.folder)}
    assert words - set(language.read(name)["texts"][language.OPEN]) == set()


def test_english_of_the_page_is_that_of_the_library() -> None:
    english = language.CATALOGUE["texts"]
    assert english["CATEGORIES"] == {one.folder: one.title for one in CATEGORIES}
    assert english["CATEGORIES_INSIDE"] == {one.folder: one.title.lower() for one in CATEGORIES}
    assert set(english["ATTRIBUTES_INSIDE"]) == set(english["ATTRIBUTE_LABELS"])


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda found: found["texts"].pop("GENERATE"), "[texts] GENERATE is missing; in English: 'Generate'"),
        (lambda found: found["texts"].update(UNITS="viele"), "[texts] UNITS has the places [], English has ['count']"),
        (lambda found: found["texts"].update(UNITS="{count"), "[texts] UNITS has the places [\"expected '}'"),
        (lambda found: found["texts"].update(UNITS={}), "[texts] UNITS is no string"),
        (lambda found: found["texts"].update(MONTHS=("Jan.",)), "[texts] MONTHS has another form or length"),
        (lambda found: found["texts"].update(NEW="neu"), "[texts] NEW is unknown"),
        (lambda found: found["boardtexts"].update(SHOWN={}), "[boardtexts] SHOWN.all is missing"),
        (lambda found: found["boardtexts"]["SHOWN"].update(none="nichts"), "[boardtexts] SHOWN.none is unknown"),
        (lambda found: found["trendtexts"].update(HEAT_HOVER="%{x}"), "[trendtexts] HEAT_HOVER has the places"),
        (lambda found: found.update(cards={}), "[cards] is unknown"),
        (lambda found: found.pop("canvastexts"), "[canvastexts] WORDS is missing"),
    ],
)
def test_what_does_not_fit_is_named(change, says: str) -> None:
    found = {
        module: {k: dict(v) if isinstance(v, dict) else v for k, v in table.items()}
        for module, table in language.read("de").items()
    }
    assert language.problems_of(found) == []
    change(found)
    assert any(line.startswith(says) for line in language.problems_of(found)), language.problems_of(found)


def test_a_file_that_cannot_be_used_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    monkeypatch.setattr(language, "LOCALES", tmp_path)
    (tmp_path / "fr.toml").write_text("[texts]\nTITLE = 'Atelier'\n")
    (tmp_path / "it.toml").write_text("[texts\n")
    assert language.available() == ["en", "fr", "it"]
    with pytest.raises(
        ValueError, match=r"(?s)--language fr is not usable: .*fr\.toml does not fit:.*\[texts\] TAGLINE"
    ):
        language.choose("fr")
    with pytest.raises(ValueError, match=r"--language it is not usable: .*it\.toml is not TOML"):
        language.choose("it")
    for name in ("xx", "../de", ""):
        with pytest.raises(ValueError, match="Choose one of en, fr, it, or write the file"):
            language.choose(name)
    assert texts.TAGLINE == language.CATALOGUE["texts"]["TAGLINE"]  # nothing was put in its place
    assert app.main(["--language", "xx", "--store_dir", str(tmp_path)]) == 2
    assert "--language xx is not usable" in capsys.readouterr().err


def test_sentences_in_german(german: None, engine) -> None:
    assert texts.week_label(Week(2020, 10)) == "Woche 10, 2020 (2.\u20138. M\u00e4rz)"
    assert texts.units(1204) == "1\u202f204 verkauft"
    grew = Headline("grew", "top5gub", "2020-W10", "beige", "8", "13")
    assert trendtexts.headline_words(grew) == "Beige stieg in vier Wochen von 8 auf 13 % der Oberteile."
    assert trendtexts.look_label("like navy plain shirt (2)") == "wie navy plain shirt (2)"
    assert errortexts.capital(boardtexts.picks(2, 1, 1, True)).endswith("1 weitere wird nicht verwendet.")
    assert boardtexts.too_many(12345, 500).startswith("Ausgabe: Es werden 12\u202f345 Entw\u00fcrfe gezeigt")
    assert blindtexts.revealed("right", "base", "dpo") == "dpo wurde base vorgezogen."
    assert blindtexts.revealed("none", "base", "dpo").startswith("Links war base, rechts war dpo.")
    assert blindtexts.chosen("none").startswith("Behalten: kein Unterschied.")
    assert blindtexts.picture("left", 2) == "Links, Entwurf 2"
    assert blindtexts.counts(3, 1, 0) == "3 gewonnen, 1 verloren" and "2 ohne" in blindtexts.counts(3, 1, 2)
    assert texts.waiting(1, 30).startswith("Wartet: 1 Anfrage ist") and texts.waiting(2, 180).endswith("3 Minuten.")
    assert texts.progress(1, 2, 4, 3, 8) == "Entw\u00fcrfe 1 bis 2 von 4, Schritt 3 von 8"
    assert errortexts.line_full(6, "Generieren").startswith("Es warten schon 6 Anfragen")
    with pytest.raises(StudioError, match="Artikel '7' ist nicht unter den gezeigten"):
        drawer.take(engine, None, "7", "prompt")
    with pytest.raises(StudioError, match="Woche: '2030-W01' fehlt in den Verkaufsdaten"):
        checks.check_week(engine, "2030-W01")
    context = callbacks.page_context(engine, "top5gub", "2020-W10")
    assert context.suggestion.startswith("navy striped")  # what the model reads stays English


def test_every_kind_of_headline_has_words() -> None:
    for kind in HEADLINES:
        assert trendtexts.headline_words(Headline(kind, "top5shoe", "2020-W10", "navy", "1", "2")).count("shoe") == 1


class Atoms(HTMLParser):
    """What of HTML can be read or is read out: text, labels, titles, alternatives, and words for scripts."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(html)

    def handle_data(self, data: str) -> None:
        self.found.append(data.strip())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in ("aria-label", "title", "alt", "placeholder"):
                self.found.append(value or "")
            elif name == "data-words":
                self.found += [one for one in _strings(json.loads(value or "{}"))]


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list | tuple):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _strings(one)


def readable(config: dict) -> set[str]:
    """Everything that a page's components show."""
    atoms = {config["title"]}
    for component in config["components"]:
        for key in ("label", "info", "placeholder", "value", "choices", "html_template"):
            for text in _strings(component["props"].get(key)):
                atoms |= {text, *Atoms(text).found} if "<" in text else {text}
    return atoms


def test_no_english_is_left_on_the_german_page(engine, tmp_path: Path, german: None, monkeypatch) -> None:
    from studio.layout import build_page

    monkeypatch.setattr(engine, "compared", tuple(FakeModel(engine, *one) for one in (("a", "navy"), ("b", "red"))))
    both = [(text, other) for _, text, other in pairs("de") if text != other]
    shown = readable(build_page(engine, Library(engine, Store.open(tmp_path))).get_config_file())
    assert {english for english, _ in both} & shown == set()
    found = {other for _, other in both} & shown
    said = {texts.GENERATE, canvastexts.WORDS["curve_title"], "Oberteile", blindtexts.EMPTY}
    assert len(found) > 150 and said <= found


def test_no_english_is_left_in_german_answers(engine, german: None) -> None:
    plots, words = trendboard.board(engine, "top5gub", "colour", "2020-W10", [])
    shown = [{key: value for key, value in card.items() if key != "csv"} for card in json.loads(plots)]  # data stay
    said = " ".join((*_strings(shown), words, cards.results_html(ResultsView("idle"), model="m")))
    fragments = {
        part.strip()
        for _, text, other in pairs("de")
        if text != other
        for part in re.split(r"%?\{[^}]*\}", text)
        if len(part.split()) >= 3
    }
    assert len(fragments) > 150 and [one for one in fragments if one in said] == []
    assert "der Oberteile" in said and '"schwarz"' in plots and "Jan." not in words


def test_texts_are_taken_when_they_are_shown() -> None:
    """A constant imported by its name, a text in a default or in a function stays English."""
    modules = set(language.CATALOGUE)
    for path in sorted(STUDIO.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module:
                taken = [one.name for one in node.names if one.name.isupper()]
                assert not (node.module.rpartition(".")[2] in modules and taken), (
                    f"{path}: import the module, not {taken}"
                )
            if isinstance(node, ast.keyword) and node.arg in ("label", "info", "placeholder"):
                assert not isinstance(node.value, ast.Constant), (
                    f"{path}:{node.value.lineno}: words belong to the texts"
                )


@pytest.mark.parametrize("module", sorted(language.CATALOGUE))
def test_text_functions_hold_no_words(module: str) -> None:
    tree = ast.parse((STUDIO / f"{module}.py").read_text(encoding="utf-8"))
    for function in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)):
        for node in (inner for statement in function.body for inner in ast.walk(statement)):
            if isinstance(node, ast.JoinedStr):
                held = {
                    w
                    for part in node.values
                    if isinstance(part, ast.Constant)
                    for w in re.findall("[A-Za-z]{2,}", part.value)
                }
                where = f"{module}.{function.name}: make {held} a constant with named places, filled in by .format"
                assert held <= MEASURES, where


@pytest.mark.browser
def test_the_german_page_in_a_browser(engine, browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "gradio"))
    config = StudioConfig(port=0, store_dir=str(tmp_path / "store"), language="de")
    page = app.launch(engine, config, block=False)
    tab = browser.new_page(viewport={"width": 390, "height": 844}, locale="en-GB")
    try:
        studio = Studio(tab, page.local_url).open()
        assert tab.evaluate("document.documentElement.lang") == "de"  # though the browser speaks English
        assert studio.wide() == 390
        tab.get_by_role("tab", name=texts.TAB_TRENDS).click()
        tab.locator("#trend-plot .xtick text", has_text="Jan.").first.wait_for()
        assert studio.wide() == 390 and studio.errors == []
    finally:
        tab.close()
        page.close()
        language.choose(language.ENGLISH)
