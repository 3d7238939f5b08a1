"""The studio's tools as an assistant uses them: a real MCP client against the running page."""

from __future__ import annotations

import ast
import asyncio
import base64
import io

import numpy as np
import pytest
from mcp import ClientSession
from mcp.client.sse import sse_client
from mcp.client.streamable_http import streamablehttp_client
from PIL import Image

from tests.fake_engine import EMPTY

TOOLS = ["bestsellers", "forecast", "generate", "rank", "trends"]
WHERE = {"category": "top5gub", "week": "2020-W10"}


def data_url(level: int) -> str:
    buffer = io.BytesIO()
    Image.fromarray(np.full((256, 192, 3), level, np.uint8)).save(buffer, format="PNG")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()


class Assistant:
    """One MCP session for each call, as stateless clients do."""

    def __init__(self, url: str) -> None:
        self.address = f"{url}gradio_api/mcp/"

    def ask(self, question):
        async def talk():
            async with streamablehttp_client(self.address) as (read, write, _), ClientSession(read, write) as session:
                await session.initialize()
                return await question(session)

        return asyncio.run(talk())

    def call(self, tool: str, **arguments) -> dict:
        answer = self.ask(lambda session: session.call_tool(tool, arguments))
        assert not answer.isError, answer.content
        return ast.literal_eval(answer.content[0].text)  # gradio writes dicts as Python does

    def refused(self, tool: str, **arguments) -> str:
        answer = self.ask(lambda session: session.call_tool(tool, arguments))
        assert answer.isError
        return answer.content[0].text


@pytest.fixture(scope="module")
def assistant(url):
    return Assistant(url)


def test_only_the_typed_endpoints_are_tools_and_each_is_explained(assistant):
    tools = {tool.name: tool for tool in assistant.ask(lambda session: session.list_tools()).tools}
    assert sorted(tools) == TOOLS  # no event of the page, such as press_generate or open_design, is among them
    assert "rank these for 2020-W10" in tools["rank"].description and "Returns" in tools["rank"].description
    for tool in tools.values():
        for name, shape in tool.inputSchema["properties"].items():
            assert shape["description"] and (shape.get("type") or name), (tool.name, name)
    assert tools["rank"].inputSchema["required"] == ["images", "category", "week"]
    images = tools["rank"].inputSchema["properties"]["images"]
    assert (images["type"], images["items"]) == ("array", {"type": "string"})
    assert tools["generate"].inputSchema["required"] == ["category", "week", "prompt"]


def test_events_of_the_page_cannot_be_called_as_tools(assistant):
    for name in ("press_generate", "open_design", "save_sketch", "lambda", "ask_to_stop"):
        assert "Unknown tool" in assistant.refused(name)


def test_rank_these_for_a_week(assistant):
    pictures = [data_url(level) for level in (200, 20, 110)]
    answer = assistant.call("rank", images=pictures, **WHERE)
    assert [one["image"] for one in answer["ranking"]] == [2, 3, 1]  # the fake prefers dark ones
    assert [one["rank"] for one in answer["ranking"]] == [1, 2, 3]
    best = answer["ranking"][0]
    assert best["clip_t"] is None and best["combined"] == best["clip_i"] and answer["weights"]["clip_t"] is None
    assert len(best["bestsellers"]) == 5 and best["bestsellers"][0]["name"]
    with_words = assistant.call("rank", images=pictures, prompt="navy shirt", **WHERE)
    best = with_words["ranking"][0]
    assert best["combined"] == pytest.approx(0.6 * best["clip_i"] + 0.4 * best["clip_t"], abs=1e-3)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"images": []}, "Give a list of 1 to 24 pictures"),
        ({"images": [data_url(0)] * 25}, "25 were given"),
        ({"images": ["/etc/passwd"]}, "Picture 1: '/etc/passwd' is neither a data URL"),
        ({"images": ["http://127.0.0.1/a.png"]}, "is neither a data URL"),
        ({"images": [data_url(9), "data:image/png;base64,!!"]}, "Picture 2: 'data:image/png;base64,!!' is neither"),
        ({"images": ["data:image/png;base64,AAAA"]}, "Picture 1: the upload is not a picture that can be read"),
        ({"images": [data_url(9)], "week": "2031-W01"}, "not in the sales data. Choose a week from"),
        ({"images": [data_url(9)], "category": EMPTY[0], "week": EMPTY[1]}, "Choose another week"),
        ({"images": [data_url(9)], "prompt": "navy " * 76}, "Shorten it"),
    ],
    ids=lambda value: value[:30] if isinstance(value, str) else "",
)
def test_mistakes_are_told_in_words(assistant, arguments, says):
    assert says in assistant.refused("rank", **(WHERE | arguments))


def test_generate_from_the_template_without_pictures(assistant):
    answer = assistant.call("generate", prompt="navy shirt", num_candidates=2, steps=2, pictures=False, **WHERE)
    assert [one["rank"] for one in answer["designs"]] == [1, 2] and "image" not in answer["designs"][0]
    assert answer["designs"][0]["references"]


def test_sales_and_forecast(assistant):
    assert len(assistant.call("bestsellers", **WHERE)["bestsellers"]) == 5
    assert assistant.call("trends", attribute="colour", **WHERE)["text"].startswith("Black led upper body")
    answer = assistant.call("forecast", attribute="colour", category="top5gub", week="2020-W27")
    assert len(answer["weeks"]) == 8 and answer["shares"] and answer["known_until"] <= "2020-W27"
    for one in answer["shares"]:
        assert len(one["mean"]) == len(one["low_80"]) == 8
    assert answer["backtest"]["num_origins"] > 0 and len(answer["bestsellers"]["article_ids"]) == 5
    assert "is unknown. Choose one of colour, type, pattern" in assistant.refused("forecast", attribute="hue", **WHERE)


def test_the_older_transport_works_too(assistant):
    async def names():
        async with sse_client(f"{assistant.address}sse") as (read, write), ClientSession(read, write) as session:
            await session.initialize()
            return [tool.name for tool in (await session.list_tools()).tools]

    assert sorted(asyncio.run(names())) == TOOLS
