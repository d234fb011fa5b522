from __future__ import annotations

from pathlib import Path

import pytest

from assistant.errors import SettingsError
from assistant.settings import Settings


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ASSISTANT_DATA", raising=False)


def test_arguments_win_over_environment_over_file_over_defaults(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "assistant.toml").write_text("[retrieval]\nk = 4\ndense_k = 40\nlexical_k = 30\n")
    monkeypatch.setenv("ASSISTANT_RETRIEVAL__K", "5")
    monkeypatch.setenv("ASSISTANT_RETRIEVAL__DENSE_K", "41")
    retrieval = Settings.load(retrieval={"k": 6}).retrieval
    assert (retrieval.k, retrieval.dense_k, retrieval.lexical_k) == (6, 41, 30)
    assert retrieval.per_document == Settings().retrieval.per_document


def test_data_directory_from_argument_then_environment_then_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine.toml").write_text('[library]\ndata = "from-file"\n')
    assert Settings.load(tmp_path / "mine.toml").library.data == Path("from-file")
    monkeypatch.setenv("ASSISTANT_DATA", "from-environment")
    assert Settings.load(tmp_path / "mine.toml").library.data == Path("from-environment")
    argued = Settings.load(tmp_path / "mine.toml", library={"data": "from-argument"})
    assert argued.library.data == Path("from-argument")


@pytest.mark.parametrize(
    ("groups", "named", "hint"),
    [
        ({"retrieval": {"kk": 3}}, "retrieval.kk", "retrieval.k"),
        ({"chunking": {"size": 9000}}, "chunking.size", "another value"),
        ({"models": {"threads": "many"}}, "models.threads", "another value"),
        ({"retreival": {"k": 3}}, "retreival", "assistant settings"),
    ],
)
def test_a_wrong_setting_is_named_with_the_way_out(
    groups: dict[str, dict[str, object]], named: str, hint: str
) -> None:
    with pytest.raises(SettingsError, match=named) as caught:
        Settings.load(**groups)
    assert hint in caught.value.hint
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("key", ["ASSISTANT_CHUNKNG__SIZE", "ASSISTANT_SIZE"])
def test_an_unknown_environment_key_is_named(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(key, "150")
    with pytest.raises(SettingsError, match=key):
        Settings.load()


@pytest.mark.parametrize("content", ["[retrieval\nk = 4", "[retrieval]\nk = \xff", "k = 4"])
def test_a_broken_file_is_named(content: str, tmp_path: Path) -> None:
    path = tmp_path / "broken.toml"
    path.write_bytes(content.encode("latin-1"))
    with pytest.raises(SettingsError) as caught:
        Settings.load(path)
    assert "broken.toml" in str(caught.value) or "unknown setting k" in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"absent\.toml"):
        Settings.load(tmp_path / "absent.toml")


def test_the_digest_follows_what_changes_answers_and_nothing_else() -> None:
    base = Settings.load()
    assert base.digest == Settings.load(server={"port": 1}, library={"data": "x"}).digest
    assert base.digest != Settings.load(retrieval={"k": 3}).digest
