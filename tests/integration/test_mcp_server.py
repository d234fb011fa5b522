"""The MCP face, asked by the protocol's own client over the stdio of a real process."""

from __future__ import annotations

import asyncio
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
from mcp import Client, StdioServerParameters

from assistant import Answer, Assistant


@pytest.fixture
def server(sample_data: Path, tmp_path: Path) -> StdioServerParameters:
    """The command to start; over a copy, because the sample may be open in this process."""
    data = tmp_path / "data"
    shutil.copytree(sample_data, data, ignore=shutil.ignore_patterns("lock"))
    arguments = ["-m", "assistant", "mcp", "--data", str(data)]
    return StdioServerParameters(command=sys.executable, args=arguments)


def call(server: StdioServerParameters, tool: str, **arguments: object) -> Any:
    async def run() -> Any:
        async with Client(server, read_timeout_seconds=120) as client:
            listed = await client.list_tools()
            assert {tool.name for tool in listed.tools} == {"ask", "search"}
            for one in listed.tools:
                assert "as_of" in one.input_schema["properties"]["filters"]["properties"]
            return await client.call_tool(tool, arguments)

    return asyncio.run(run())


def test_ask_gives_the_answer_of_the_library(
    server: StdioServerParameters, sample: Assistant
) -> None:
    question = "Who headed the advance team sent to Armenia?"
    result = call(server, "ask", question=question)
    direct = sample.ask(question)
    assert Answer.model_validate(result.structured_content).sentences == direct.sentences
    assert result.structured_content["text"] == direct.text


def test_filters_are_typed_arguments(server: StdioServerParameters, sample: Assistant) -> None:
    wanted = {"until": "2022-06-30"}
    result = call(server, "search", query="border mission", filters=wanted)
    days = [item["document"]["published"] for item in result.structured_content["passages"]]
    assert days
    assert all(day <= "2022-06-30" for day in days)
    assert result.structured_content["undated"] > 0
    refused = call(server, "ask", question="Who?", filters={"sources": ["Nobody"]})
    assert "no document has the source 'Nobody'" in refused.content[0].text
    for filters, message in (
        ({"since": "2022-02-30"}, "since: there is no day '2022-02-30' (write a day as"),
        ({"since": "2022-03-01", "until": "2022-02-01"}, "after until 2022-02-01 (swap them"),
        ({"where": {"$ne": 1}}, "there is no filter where (filters are since, until,"),
    ):
        refused = call(server, "search", query="Who?", filters=filters)
        assert refused.is_error
        assert message in refused.content[0].text


def test_search_and_its_errors(server: StdioServerParameters, sample: Assistant) -> None:
    result = call(server, "search", query="border mission", k=2)
    ids = [item["passage"]["id"] for item in result.structured_content["passages"]]
    assert ids == [scored.passage.id for scored in sample.search("border mission", 2)]
    refused = call(server, "ask", question="")
    assert refused.is_error
    assert "the question is empty" in refused.content[0].text
