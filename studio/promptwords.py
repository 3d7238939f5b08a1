"""Words put into a prompt, replaced and taken away, in the order of training captions.

In: a prompt and a word of one of the lists. Out: the prompt. "navy striped t-shirt, short sleeves": colours, at most
two and joined by "and", then the pattern, the noun, and details, one of each group. What a visitor wrote beside them
stays. Knows nothing of pages.
"""

from __future__ import annotations

import re

from fashiondistill.data.attributes import COLOUR_BY_WORD, PATTERNS
from fashiondistill.data.categories import CATEGORIES
from fashiondistill.data.drawings import TEMPLATES
from fashiondistill.data.vocabulary import Found, details_of, find_words, garments_of

KINDS = ("colour", "pattern", "detail")


def put_word(prompt: str, kind: str, word: str, *, category: str, also: bool = False, keep: bool = False) -> str:
    """The prompt with the word, which takes the place of another of its kind; without it, if it was there.

    Args:
        prompt: as it stands.
        kind: of `KINDS`.
        word: of the kind's list; a detail of the category's.
        category: folder name.
        also: a colour comes second to the one that is there, instead of taking its place.
        keep: a word that is there stays.

    Raises:
        ValueError: for a word or kind that is not of the lists.
    """
    known = words_of(kind, category)
    if word not in known:
        raise ValueError(f"{kind} {word!r} is unknown: choose one of {', '.join(known)}.")
    there = any(one.words == word for one in _found(prompt, kind, category))
    if there and keep:
        return prompt
    if kind == "colour":
        return _put_colour(prompt, word, also=also, there=there)
    if kind == "pattern":
        return _put_pattern(prompt, word, there=there)
    return _put_detail(prompt, word, category, there=there)


def words_of(kind: str, category: str) -> tuple[str, ...]:
    """The list of a kind; () for an unknown one."""
    if kind == "detail":
        return tuple(one.words for one in details_of(category))
    return {"colour": tuple(COLOUR_BY_WORD), "pattern": tuple(PATTERNS)}.get(kind, ())


def present(prompt: str, category: str) -> tuple[str, ...]:
    """The words of all lists that stand in the prompt, each as "kind:word"."""
    return tuple(f"{kind}:{one.words}" for kind in KINDS for one in _found(prompt, kind, category))


def _found(prompt: str, kind: str, category: str) -> list[Found]:
    """Where words of a kind stand; a skirt's "long" does not stand in "long sleeves", which skirts have not."""
    own = words_of(kind, category)
    known = {words for one in CATEGORIES for words in words_of(kind, one.folder)}
    return [one for one in find_words(prompt, known) if one.words in own]


def garment_in(prompt: str, category: str) -> str:
    """The noun of the category that the prompt names; the template's, with which the canvas opens, if it names none."""
    found = find_words(prompt, garments_of(category))
    return found[0].words if found else TEMPLATES[category]


def _put_colour(prompt: str, word: str, *, also: bool, there: bool) -> str:
    run = _colour_run(prompt)
    if not run:
        return f"{word} {prompt.lstrip()}".rstrip()
    words = [one.words for one in run]
    if there:
        if word not in words:  # it stands elsewhere, as in "shirt with a navy collar"
            return _without(prompt, next(one for one in find_words(prompt, COLOUR_BY_WORD) if one.words == word))
        words.remove(word)
    else:
        words = [words[0], word] if also else [word]
    return _tidy(prompt[: run[0].start] + " and ".join(words) + prompt[run[-1].end :])


def _colour_run(prompt: str) -> list[Found]:
    """The first colour and those joined to it."""
    found = find_words(prompt, COLOUR_BY_WORD)
    run = list(found[:1])
    for one in found[1:]:
        if not re.fullmatch(r"\s+and\s+|\s*,\s*", prompt[run[-1].end : one.start]):
            break
        run.append(one)
    return run


def _put_pattern(prompt: str, word: str, *, there: bool) -> str:
    found = find_words(prompt, PATTERNS)
    if there:
        return _without(prompt, next(one for one in found if one.words == word))
    if found:
        return prompt[: found[0].start] + word + prompt[found[0].end :]
    run = _colour_run(prompt)
    place = run[-1].end if run else 0
    return _tidy(f"{prompt[:place]} {word} {prompt[place:]}")


def _put_detail(prompt: str, word: str, category: str, *, there: bool) -> str:
    details = details_of(category)
    found = _found(prompt, "detail", category)
    if there:
        return _without(prompt, next(one for one in found if one.words == word))
    group = next(one.group for one in details if one.words == word)
    rivals = {one.words for one in details if one.group == group}
    rival = next((one for one in found if one.words in rivals), None)
    if rival:
        return prompt[: rival.start] + word + prompt[rival.end :]
    return ", ".join(part for part in (prompt.rstrip(" ,.;"), word) if part)


def _without(prompt: str, found: Found) -> str:
    return _tidy(prompt[: found.start] + prompt[found.end :])


def _tidy(prompt: str) -> str:
    """Without the joints that a word leaves behind."""
    prompt = re.sub(r"\s+", " ", prompt)
    prompt = re.sub(r"\b(?:and|with)\s*(?=,|$)", "", prompt)
    prompt = re.sub(r"\s*,(?:\s*,)+", ",", prompt)
    return re.sub(r"\s+,", ",", prompt).strip(" ,").removeprefix("and ")
