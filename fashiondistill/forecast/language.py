"""A causal language model, if one is given, puts a forecast description in a sentence.

In: a `Description` and a local folder or hub id of a model for transformers. Out: a sentence. The words, shares and
sources stay those of the description: the model only phrases them, and a sentence without the forecast words is
refused. Knows nothing of sales. Nothing is loaded unless it is asked for.
"""

from __future__ import annotations

from collections.abc import Callable

from fashiondistill.forecast.words import Description

MAX_NEW_TOKENS = 48
Writer = Callable[[Description], str]


def instruction(description: Description) -> str:
    """What the model is asked, with the facts it may use."""
    facts = "\n".join(
        f"- {phrase.attribute}: {phrase.words} ({100 * phrase.share_now:.0f} % of units now, "
        f"{100 * phrase.share_next:.0f} % expected)"
        for phrase in description.phrases
    )
    captions = "\n".join(f"- {caption}" for _, caption in description.captions)
    return (
        "Describe in one short sentence the garment that will sell best next week. Use every word of the forecast and "
        f"no other colour.\nForecast:\n{facts}\nRecent bestsellers:\n{captions}\nDescription:"
    )


def load_writer(name: str) -> Writer:
    """A function that describes in sentences; greedy, so that the same description gives the same sentence.

    Args:
        name: local folder (safetensors) or hub id.

    Raises:
        ValueError: if transformers cannot load it.
    """
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(name)
        model = AutoModelForCausalLM.from_pretrained(name, use_safetensors=True).eval()
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise ValueError(
            f"--language_model {name} cannot be loaded ({reason}): give a folder that holds a causal language model "
            "with safetensors weights, or a hub id that this machine can reach."
        ) from error

    def write(description: Description) -> str:
        inputs = tokenizer(instruction(description), return_tensors="pt")
        with torch.inference_mode():
            ids = model.generate(
                **inputs, max_new_tokens=MAX_NEW_TOKENS, do_sample=False, pad_token_id=tokenizer.eos_token_id
            )
        answer = tokenizer.decode(ids[0, inputs.input_ids.shape[1] :], skip_special_tokens=True)
        return checked(answer, description)

    return write


def checked(answer: str, description: Description) -> str:
    """The first line of an answer, once it is known to say what was forecast.

    Raises:
        ValueError: naming the words that it lacks.
    """
    lines = [line.strip() for line in answer.splitlines() if line.strip()]
    sentence = lines[0] if lines else ""
    missing = [phrase.words for phrase in description.phrases if phrase.words not in sentence.lower()]
    if missing:
        raise ValueError(
            f"the language model's sentence {sentence[:80]!r} lacks {', '.join(missing)}: use another --language_model,"
            " or leave it out for the plain description."
        )
    return sentence
