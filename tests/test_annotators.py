"""Optional models of product shots: loaded for real from folders with tiny random weights, and refused by name.

rembg is tested where it is installed (it brings numba and onnxruntime, 300 MB); the others always.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import (
    BertTokenizer,
    BlipConfig,
    BlipForConditionalGeneration,
    BlipImageProcessor,
    BlipProcessor,
    CLIPImageProcessor,
    CLIPVisionConfig,
    LlamaConfig,
    LlavaConfig,
    LlavaForConditionalGeneration,
    LlavaProcessor,
    PreTrainedTokenizerFast,
    SegformerConfig,
    SegformerForSemanticSegmentation,
    SegformerImageProcessor,
)

from fashiondistill.annotators import (
    MAX_NEW_TOKENS,
    PIDINET_FILE,
    load_captioner,
    load_segmenter,
    load_sketcher,
    prepare_shot,
)
from fashiondistill.config import ProductShotConfig
from fashiondistill.data.captions import article_caption
from fashiondistill.data.masks import rembg_mask
from fashiondistill.data.products import ShotRejected, prepare_product_shot
from fashiondistill.data.studiomasks import studio_mask
from tests.shots import product_shot
from tests.test_captions import row

HAS_REMBG = importlib.util.find_spec("rembg") is not None


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)


def save_segmenter(folder: Path, labels: list[str], *, always: int) -> Path:
    """A SegFormer that gives one class everywhere."""
    config = SegformerConfig(
        num_labels=len(labels), id2label=dict(enumerate(labels)), label2id={name: n for n, name in enumerate(labels)},
        depths=[1, 1, 1, 1], hidden_sizes=[4, 8, 8, 8], num_attention_heads=[1, 1, 1, 1], decoder_hidden_size=8,
    )  # fmt: skip
    model = SegformerForSemanticSegmentation(config)
    with torch.no_grad():
        model.decode_head.classifier.weight.zero_()
        model.decode_head.classifier.bias.copy_(torch.nn.functional.one_hot(torch.tensor(always), len(labels)) * 4.0)
    model.save_pretrained(folder)
    SegformerImageProcessor(size={"height": 64, "width": 64}).save_pretrained(folder)
    return folder


LABELS = ["Background", "Hat", "Upper-clothes", "Skirt", "Pants"]


def test_defaults_load_nothing_and_are_the_plain_functions() -> None:
    image, _ = product_shot("skirt")
    config = ProductShotConfig()
    first, second = prepare_shot(image, "top5glb", config), prepare_product_shot(image, "top5glb")
    assert np.array_equal(first.pictures.sketch, second.pictures.sketch) and first.score == second.score
    assert load_segmenter(config.segmenter, config.segmenter_model) is studio_mask
    assert prepare_shot(image, "top5glb", ProductShotConfig(segmenter="grabcut")).score > 0.5


def test_segmentation_transformer_masks_the_category_s_classes(tmp_path: Path) -> None:
    folder = save_segmenter(tmp_path / "clothes", LABELS, always=4)
    segment = load_segmenter("transformers", str(folder))
    image, _ = product_shot("trousers")
    found = segment(image, "top5glb")
    chance = np.exp(4) / (np.exp(4) + 4)
    assert found.mask.shape == image.shape[:2] and (found.mask == 255).all()
    assert found.score == pytest.approx((np.exp(4) + 1) / (np.exp(4) + 4), abs=1e-4) and found.score > chance
    assert not segment(image, "top5gub").mask.any() and segment(image, "top5gub").score == 0
    config = ProductShotConfig(segmenter="transformers", segmenter_model=str(folder))
    assert prepare_shot(image, "top5glb", config).pictures.mask.any()
    with pytest.raises(ShotRejected, match="the segmentation model is not sure"):
        prepare_shot(image, "top5gub", config)
    with pytest.raises(ValueError, match="is not usable for top5shoe"):
        segment(image, "top5shoe")


def test_segmenter_of_something_else_is_refused(tmp_path: Path) -> None:
    folder = save_segmenter(tmp_path / "streets", ["road", "sky", "car"], always=0)
    with pytest.raises(ValueError, match=r"its classes \(car, road, sky\) name no clothes"):
        load_segmenter("transformers", str(folder))


@pytest.fixture(scope="module")
def blip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("blip")
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "[DEC]", "[ENC]", "red", "dress", "a", "."]
    text = {
        "vocab_size": len(words), "hidden_size": 16, "encoder_hidden_size": 16, "intermediate_size": 16,
        "num_hidden_layers": 1, "num_attention_heads": 2, "max_position_embeddings": 64,
        "bos_token_id": 5, "pad_token_id": 0, "eos_token_id": 3, "sep_token_id": 3,
    }  # fmt: skip
    vision = {
        "hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2,
        "image_size": 32, "patch_size": 16,
    }  # fmt: skip
    model = BlipForConditionalGeneration(BlipConfig(text_config=text, vision_config=vision, projection_dim=8))
    with torch.no_grad():  # it says "red" whatever it sees
        model.text_decoder.cls.predictions.decoder.weight.zero_()
        model.text_decoder.cls.predictions.bias.copy_(torch.nn.functional.one_hot(torch.tensor(7), len(words)).float())
        model.text_decoder.cls.predictions.decoder.bias.copy_(model.text_decoder.cls.predictions.bias)
    model.save_pretrained(folder)
    tokenizer = BertTokenizer(
        vocab={word: number for number, word in enumerate(words)}, extra_special_tokens=["[DEC]", "[ENC]"]
    )
    BlipProcessor(BlipImageProcessor(size={"height": 32, "width": 32}), tokenizer).save_pretrained(folder)
    return folder


def test_captioning_model_gives_the_style_sentence(blip: Path) -> None:
    image, _ = product_shot("dress", colour="red")
    sentence = load_captioner(str(blip))(image)
    assert set(sentence.split()) == {"red"} and 2 < len(sentence.split()) <= MAX_NEW_TOKENS
    assert article_caption(row(), style="red red")[0] == "Red red."


def test_captioning_model_that_chats_is_asked(tmp_path: Path) -> None:
    """A LLaVA of two layers; its answer is what comes after the question."""
    words = ["red", "<unk>", "<s>", "</s>", "<image>", "<pad>", "USER", "ASSISTANT", ":"]
    lookup = Tokenizer(models.WordLevel({word: number for number, word in enumerate(words)}, unk_token="<unk>"))
    lookup.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=lookup, pad_token="<pad>", unk_token="<unk>", bos_token="<s>", eos_token="</s>",
        extra_special_tokens={"image_token": "<image>"},
    )  # fmt: skip
    small = {"hidden_size": 16, "intermediate_size": 16, "num_attention_heads": 2}
    model = LlavaForConditionalGeneration(
        LlavaConfig(
            vision_config=CLIPVisionConfig(num_hidden_layers=2, image_size=32, patch_size=16, **small),
            text_config=LlamaConfig(vocab_size=len(words), num_hidden_layers=1, num_key_value_heads=2, **small),
            image_token_index=4,
            image_seq_length=4,
        )
    )
    with torch.no_grad():  # all words are equally likely, so it says the first
        model.model.language_model.norm.weight.zero_()
    model.save_pretrained(tmp_path)
    pictures = CLIPImageProcessor(size={"height": 32, "width": 32}, crop_size={"height": 32, "width": 32})
    template = (
        "{% for m in messages %}USER : {% for c in m['content'] %}{% if c['type'] == 'image' %}<image>{% else %}"
        " {{ c['text'] }}{% endif %}{% endfor %}{% endfor %}{% if add_generation_prompt %} ASSISTANT :{% endif %}"
    )
    LlavaProcessor(
        pictures, tokenizer, patch_size=16, vision_feature_select_strategy="default", chat_template=template,
        num_additional_image_tokens=1,
    ).save_pretrained(tmp_path)  # fmt: skip
    answer = load_captioner(str(tmp_path))(product_shot("dress")[0])
    assert set(answer.split()) == {"red"}


@pytest.mark.filterwarnings("ignore")  # of controlnet_aux, which imports all of its models
def test_pidinet_draws_inside_the_garment(tmp_path: Path) -> None:
    from controlnet_aux.pidi.model import pidinet

    torch.manual_seed(0)
    torch.save({"state_dict": {f"module.{k}": v for k, v in pidinet().state_dict().items()}}, tmp_path / PIDINET_FILE)
    image, _ = product_shot("t-shirt")
    config = ProductShotConfig(sketcher="pidinet", sketcher_model=str(tmp_path))
    pictures = prepare_shot(image, "top5gub", config).pictures
    assert pictures.sketch.shape == (512, 384) and pictures.sketch.dtype == np.uint8 and pictures.sketch.any()
    assert not pictures.sketch[:16].any() and not pictures.sketch[:, :8].any()
    torch.save({"state_dict": {"conv.weight": torch.zeros(1)}}, tmp_path / PIDINET_FILE)
    load_sketcher.cache_clear()
    with pytest.raises(
        ValueError, match=rf"--sketcher_model {tmp_path} cannot be loaded \(Error.* in loading state_dict"
    ):
        load_sketcher("pidinet", str(tmp_path))


@pytest.mark.parametrize("model", ["nobody/nothing", "missing/folder/here", "empty"])
def test_models_that_are_missing_are_named_with_the_remedy(model: str, tmp_path: Path) -> None:
    if model == "empty":
        model = str(tmp_path)
    for load, flag in (
        (lambda: load_segmenter("transformers", model), "segmenter_model"),
        (lambda: load_captioner(model), "captioner_model"),
        (lambda: load_sketcher("pidinet", model), "sketcher_model"),
    ):
        with pytest.raises(ValueError, match=f"--{flag} {model} cannot be loaded .* Give a folder or hub id") as error:
            load()
        assert "\n" not in str(error.value)


def test_pickled_weights_are_not_read(tmp_path: Path) -> None:
    folder = save_segmenter(tmp_path / "clothes", LABELS, always=4)
    state = SegformerForSemanticSegmentation.from_pretrained(folder).state_dict()
    (folder / "model.safetensors").unlink()
    torch.save(state, folder / "pytorch_model.bin")
    with pytest.raises(ValueError, match="--segmenter_model .* cannot be loaded"):
        load_segmenter("transformers", str(folder))


def test_packages_that_are_missing_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rembg", None)
    monkeypatch.setitem(sys.modules, "controlnet_aux.pidi", None)
    image, _ = product_shot("skirt")
    with pytest.raises(ImportError, match=r"pip install 'rembg\[cpu\]'"):
        prepare_shot(image, "top5glb", ProductShotConfig(segmenter="rembg"))
    with pytest.raises(ImportError, match="pip install controlnet_aux"):
        load_sketcher("pidinet", "somewhere")


@pytest.mark.skipif(not HAS_REMBG, reason="rembg is not installed (pip install 'rembg[cpu]' onnx)")
def test_rembg_reads_an_onnx_file(tmp_path: Path) -> None:
    """A network of one convolution that calls dark what is garment."""
    from onnx import TensorProto, helper, save

    weight = helper.make_tensor("w", TensorProto.FLOAT, [1, 3, 1, 1], [-1.0, -1.0, -1.0])
    graph = helper.make_graph(
        [helper.make_node("Conv", ["x", "w"], ["y"])], "dark",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 320, 320])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 1, 320, 320])], [weight],
    )  # fmt: skip
    path = tmp_path / "dark.onnx"
    save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), path)
    image, truth = product_shot("trousers", colour="black")
    found = rembg_mask(image, str(path))
    overlap = ((found.mask > 0) & (truth > 0)).sum() / ((found.mask > 0) | (truth > 0)).sum()
    assert overlap > 0.95 and found.score > 0.5
    with pytest.raises(ValueError, match=r"missing.onnx does not exist"):
        rembg_mask(image, str(tmp_path / "missing.onnx"))
    path.with_name("broken.onnx").write_bytes(b"no network")
    with pytest.raises(ValueError, match=r"broken.onnx cannot be loaded \("):
        rembg_mask(image, str(path.with_name("broken.onnx")))
    with pytest.raises(ValueError, match="--segmenter_model no-such-model cannot be loaded"):
        rembg_mask(image, "no-such-model")
