"""The HTTP face, asked by real clients over a real socket."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Iterator

import httpx
import pytest
from httpx_sse import connect_sse

from assistant import Answer, Assistant, Draft, Filters, ScoredPassage
from assistant.errors import SettingsError
from assistant.http_api import create_app, serve

QUESTION = "How many soldiers did the CSTO send to Kazakhstan in January 2022?"


@pytest.fixture(scope="module")
def client(sample: Assistant) -> Iterator[httpx.Client]:
    import uvicorn

    config = uvicorn.Config(create_app(sample, window=False), port=0, log_level="error")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        thread.join(0.05)
    port = server.servers[0].sockets[0].getsockname()[1]
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
        yield client
    server.should_exit = True
    thread.join()


def test_health(client: httpx.Client) -> None:
    assert client.get("/health").json() == {"status": "ok"}


def test_ask_gives_the_same_answer_as_the_library(client: httpx.Client, sample: Assistant) -> None:
    response = client.post("/v1/ask", json={"question": QUESTION})
    over_http = Answer.model_validate_json(response.text)
    direct = sample.ask(QUESTION)
    assert over_http.sentences == direct.sentences
    assert over_http.passages == direct.passages
    assert response.json()["text"] == direct.text


def test_ask_as_a_stream_ends_with_the_answer(client: httpx.Client, sample: Assistant) -> None:
    with connect_sse(client, "POST", "/v1/ask", json={"question": QUESTION}) as source:
        events = list(source.iter_sse())
    assert [event.event for event in events][-1] == "answer"
    drafts = [Draft.model_validate_json(event.data) for event in events[:-1]]
    assert [draft.stage for draft in drafts] == ["retrieve", "answer", "verify"]
    assert sample.ask(QUESTION).text in events[-1].json()["text"]


def test_a_conversation_travels_with_the_request(client: httpx.Client) -> None:
    first = client.post("/v1/ask", json={"question": QUESTION}).json()
    history = [{"question": QUESTION, "answer": first}]
    again = client.post("/v1/ask", json={"question": "And who led them?", "history": history})
    assert again.status_code == 200


def test_search_and_documents(client: httpx.Client, sample: Assistant) -> None:
    found = client.post("/v1/search", json={"query": "border mission", "k": 3}).json()
    assert [ScoredPassage.model_validate(item) for item in found] == list(
        sample.search("border mission", 3)
    )
    listed = client.get("/v1/documents").json()
    assert len(listed) == len(sample.documents())
    assert all(document["text"] == "" for document in listed)
    one = client.get(f"/v1/documents/{listed[0]['id']}").json()
    assert one["text"] == sample.document(listed[0]["id"]).text
    assert client.get("/v1/failures").json() == [f.model_dump() for f in sample.failures()]


@pytest.mark.parametrize(
    ("body", "status", "error"),
    [
        ({"question": ""}, 422, "QuestionError"),
        ({"question": "x" * 100_000}, 422, "QuestionError"),
    ],
)
def test_a_question_that_cannot_be_asked(
    body: dict[str, str], status: int, error: str, client: httpx.Client
) -> None:
    response = client.post("/v1/ask", json=body)
    assert (response.status_code, response.json()["error"]) == (status, error)
    assert response.json()["hint"]
    with connect_sse(client, "POST", "/v1/ask", json=body) as source:
        events = list(source.iter_sse())
    assert (events[-1].event, events[-1].json()["error"]) == ("error", error)


@pytest.mark.parametrize("k", [0, -1, 1001, 10**10])
def test_as_many_passages_as_memory_has_no_room_for(k: int, client: httpx.Client) -> None:
    """tantivy sets aside room for as many as are asked for, and ends the process without it."""
    refused = client.post("/v1/search", json={"query": QUESTION, "k": k})
    assert refused.status_code == 422
    told(refused, "QuestionError", f"{k} passages were asked for", "at least one and at most 1,000")


@pytest.mark.parametrize(
    "question",
    [
        "WHO HEADED THE ADVANCE TEAM SENT TO ARMENIA?",
        "what is it and who are they",
        "👩‍🔬",
        "words:(gas AND [a TO z]) OR -x ^2 ~",
        "(.*[a-z]+)+$",
        "Nork kikiri ote du Armeniari buruz?",
        "?!…",
    ],
)
def test_any_question_has_a_clear_result(question: str, client: httpx.Client) -> None:
    answer = Answer.model_validate_json(client.post("/v1/ask", json={"question": question}).text)
    assert answer.status == "not_in_documents" or answer.sentences
    found = client.post("/v1/search", json={"query": question}).json()
    assert len(found) == 8
    if question.isupper():
        small = client.post("/v1/search", json={"query": question.lower()}).json()
        assert [f["passage"]["id"] for f in found] == [f["passage"]["id"] for f in small]


def test_filters_narrow_what_is_asked_and_searched(client: httpx.Client, sample: Assistant) -> None:
    body = {"question": QUESTION, "filters": {"as_of": "2022-06-30", "languages": ["en"]}}
    answer = Answer.model_validate_json(client.post("/v1/ask", json=body).text)
    assert answer.filters == Filters(as_of=dt.date(2022, 6, 30), languages=("en",))
    assert answer.undated == sample.matching(answer.filters).undated > 0
    assert all(s.document.published <= answer.filters.as_of for s in answer.passages)  # type: ignore[operator]
    assert len(answer.passages) == 8
    body = {"query": QUESTION, "filters": {"until": "1999-12-31"}}
    found = client.post("/v1/search", json=body)
    assert (found.status_code, found.json()) == (200, [])
    assert found.headers["X-Undated"] == str(
        len([d for d in sample.documents() if not d.published])
    )
    nothing = {"question": QUESTION, "filters": {"until": "1999-12-31"}}
    assert client.post("/v1/ask", json=nothing).json()["status"] == "not_in_documents"


@pytest.mark.parametrize(
    ("filters", "message", "hint"),
    [
        ({"since": "2022-02-30"}, "since: there is no day '2022-02-30'", "2022-09-13"),
        ({"as_of": "2022-06"}, "as of: there is no day '2022-06'", "2022-09-13"),
        ({"until": 20220101}, "until: there is no day 20220101", "2022-09-13"),
        ({"since": "2022-03-01", "until": "2022-02-01"}, "after until 2022-02-01", "swap them"),
        ({"sources": ["Nobody"]}, "no document has the source 'Nobody'", "`assistant documents`"),
        ({"languages": ["xx"]}, "no document has the language 'xx'", "there is "),
        ({"documents": ["absent.md"]}, "no document 'absent.md'", "`assistant documents`"),
        ({"sources": [{"$ne": ""}]}, "sources: {'$ne': ''} is no list of names", "list of texts"),
        ({"sources": "Reuters"}, "sources: 'Reuters' is no list", "list of texts"),
        ({"sources": ["x"] * 101}, "sources: more than 100", "some of them"),
        ({"$or": []}, "there is no filter $or", "since, until, as_of, sources"),
        ([], "filters: [] is no map", "since, until, as_of, sources"),
    ],
)
def test_t26_a_filter_that_cannot_be_meant(
    filters: object, message: str, hint: str, client: httpx.Client
) -> None:
    for path, name in (("/v1/ask", "question"), ("/v1/search", "query")):
        refused = client.post(path, json={name: QUESTION, "filters": filters})
        assert refused.status_code == 422
        told(refused, "FilterError", message, hint)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"question": "a", "where": {}}', "there is no field where"),
        (b'{"query": "a"}', "question is missing"),
        (b'{"question": 7}', "question: "),
        (b'{"question": "a", "history": [{"question": "b"}]}', "history.0.answer is missing"),
        (b'{"question": ', "the body is not JSON"),
        (b"", "the body is missing"),
    ],
)
def test_a_request_that_cannot_be_read(body: bytes, message: str, client: httpx.Client) -> None:
    refused = client.post("/v1/ask", content=body, headers={"Content-Type": "application/json"})
    assert refused.status_code == 422
    told(refused, "RequestError", message, "/openapi.json")


def told(refused: httpx.Response, error: str, message: str, hint: str) -> None:
    """What every error is told as."""
    assert refused.json().keys() == {"error", "message", "hint"}
    assert refused.json()["error"] == error
    assert message in refused.json()["message"]
    assert hint in refused.json()["hint"]


def test_an_unknown_document(client: httpx.Client) -> None:
    unknown = client.get("/v1/documents/nosuch")
    assert unknown.status_code == 404
    told(unknown, "UnknownDocumentError", "'nosuch'", "`assistant documents`")


def test_t30_requests_of_other_sites_are_refused(client: httpx.Client) -> None:
    body = {"question": QUESTION}
    foreign = client.post("/v1/ask", json=body, headers={"Origin": "http://evil.test"})
    assert foreign.status_code == 403
    rebound = client.post("/v1/ask", json=body, headers={"Host": "evil.test"})
    assert rebound.status_code == 400
    own = {"Origin": str(client.base_url).rstrip("/")}
    assert client.post("/v1/ask", json=body, headers=own).status_code == 200


def test_t30_an_address_open_to_others_is_refused(sample: Assistant) -> None:
    settings = sample.settings.model_copy(
        update={"server": sample.settings.server.model_copy(update={"host": "0.0.0.0"})}
    )
    other = Assistant.__new__(Assistant)
    other.settings = settings
    with pytest.raises(SettingsError, match=r"0\.0\.0\.0"):
        serve(other)
