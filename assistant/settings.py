"""One frozen Settings, values only. Strongest first: arguments, environment, file, defaults.

``ASSISTANT_CHUNKING__SIZE=150`` in the environment is ``[chunking] size = 150`` in assistant.toml.
An unknown key is an error that names it.
"""

from __future__ import annotations

import difflib
import hashlib
import ipaddress
import os
import tomllib
from pathlib import Path
from typing import Any, Literal, cast

import platformdirs
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)
from pydantic_settings import SettingsError as SettingsErrorInLibrary

from assistant.errors import SettingsError

PREFIX = "ASSISTANT_"


class Group(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class LibrarySettings(Group):
    data: Path = Field(
        default_factory=lambda: platformdirs.user_data_path("cited-assistant"),
        description="the data directory; also ASSISTANT_DATA",
    )
    max_file_mb: int = Field(default=100, ge=1, description="larger files are refused by name")
    parse_seconds: float = Field(
        default=60, gt=0, description="processor time that reading one document may take"
    )
    parse_memory_mb: int = Field(
        default=2048, ge=512, description="memory that the process reading a document may take"
    )
    json_fields: dict[str, str] = Field(
        default={},
        description="which key of JSON is `text`, `title`, `published`, ...: {text = `a.body`}",
    )


class ChunkingSettings(Group):
    size: int = Field(default=220, ge=32, le=220, description="most tokens in a passage")


class FetchingSettings(Group):
    seconds: float = Field(default=30, gt=0, description="for one document from the web")
    pause: float = Field(default=1, ge=0, description="seconds between two requests to one host")
    pages: int = Field(default=500, ge=1, description="most pages of a sitemap or a feed")
    ports: tuple[int, ...] = Field(default=(80, 443), description="ports that are read from")
    allow: tuple[str, ...] = Field(
        default=(), description='private networks to read from, such as "10.1.2.0/24"'
    )

    @field_validator("allow")
    @classmethod
    def _networks(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        for value in values:
            ipaddress.ip_network(value)
        return values


class ModelSettings(Group):
    embedding: str = Field(
        default="bundled",
        description="`bundled`, `multilingual`, `sentence-transformers:ID_OR_PATH`, or"
        " `provider:model`",
    )
    precision: Literal["fp32", "int8"] = Field(
        default="fp32",
        description="numbers that the bundled model searches with; int8 is faster, less exact",
    )
    reranker: str = Field(
        default="",
        description="a cross-encoder, `sentence-transformers:ID_OR_PATH`, that sorts the best 20",
    )
    verifier: str = Field(
        default="",
        description="a cross-encoder for entailment, `sentence-transformers:ID_OR_PATH`, that must "
        "agree to each sentence that is no quote",
    )
    query_prompt: str | None = Field(
        default=None,
        description="words that another model wants before a question; unset, the model's own",
    )
    document_prompt: str | None = Field(
        default=None, description="the same before a passage; unset, the model's own"
    )
    threads: int = Field(
        default=0, ge=0, description="threads for embedding documents; 0 is every core"
    )
    chat: str = Field(
        default="",
        description="drafts the answers: `provider:model`, `local` (a toy); empty for quotes alone",
    )
    chat_base_url: str = Field(
        default="", description="where the chat model is served, if not at its provider"
    )
    chat_timeout: float = Field(
        default=60, gt=0, description="seconds of the chat model's silence that end a request"
    )
    chat_deadline: float = Field(
        default=180, gt=0, description="seconds for a reply, with every attempt"
    )
    chat_retries: int = Field(
        default=2, ge=0, le=10, description="further attempts while nothing has come yet"
    )
    chat_tokens: int = Field(default=600, ge=16, description="most tokens in a reply")


class RetrievalSettings(Group):
    k: int = Field(default=8, ge=1, le=100, description="passages a search returns")
    dense_k: int = Field(default=100, ge=1, le=1000, description="candidates by meaning")
    lexical_k: int = Field(default=100, ge=1, le=1000, description="candidates by words")
    dense_weight: float = Field(
        default=0.5,
        ge=0,
        le=1,
        description="share of meaning in the fused score; 0.5 as calibrated",
    )
    per_document: int = Field(
        default=3, ge=1, description="most passages of one document in a result"
    )
    aliases: Path | None = Field(
        default=None, description="file of further names that mean one thing, read at each search"
    )


class AnsweringSettings(Group):
    max_sentences: int = Field(default=3, ge=1, le=10, description="most sentences in an answer")
    threshold: float = Field(
        default=0.06,
        ge=0,
        le=1,
        description="below it: not in the documents; `assistant calibrate` fits it",
    )
    doubt: float = Field(
        default=0.2, ge=0, le=1, description="so far above the threshold an answer is only partial"
    )
    unsupported: Literal["strict", "flag"] = Field(
        default="strict",
        description="sentences without support: `strict` drops them, `flag` shows them marked",
    )
    judge: bool = Field(
        default=False, description="the chat model has to agree to each sentence that is no quote"
    )
    max_question_chars: int = Field(default=8000, ge=1, description="longer questions are refused")


class ServerSettings(Group):
    host: str = Field(default="127.0.0.1", description="address to serve on")
    port: int = Field(default=7860, ge=0, le=65535, description="port; 0 takes a free one")


class Settings(BaseSettings):
    """``Settings()`` reads every source; groups given as arguments win: ``retrieval={"k": 5}``."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="forbid",
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        toml_file="assistant.toml",
    )

    library: LibrarySettings = LibrarySettings()
    chunking: ChunkingSettings = ChunkingSettings()
    fetching: FetchingSettings = FetchingSettings()
    models: ModelSettings = ModelSettings()
    retrieval: RetrievalSettings = RetrievalSettings()
    answering: AnsweringSettings = AnsweringSettings()
    server: ServerSettings = ServerSettings()

    @property
    def digest(self) -> str:
        """12 hex digits that change when an answer could: not with the place or the port."""
        values = self.model_dump_json(exclude={"library", "server", "fetching"})
        return hashlib.sha256(values.encode()).hexdigest()[:12]

    @classmethod
    def load(cls, config: Path | None = None, **groups: Any) -> Settings:
        """Settings from all sources, with errors a person can act on.

        Raises SettingsError naming the key and the way out; a ``config`` that is named must exist.
        """
        for key in os.environ:
            group = key.removeprefix(PREFIX).lower().partition("__")[0]
            if key.startswith(PREFIX) and group not in {*cls.model_fields, "data"}:
                raise _unknown(key)
        if config and not config.is_file():
            raise SettingsError(f"no settings file {config}", "name an existing file with --config")
        try:
            sourced = type("Settings", (cls,), {}, toml_file=config) if config else cls
            return cast("Settings", sourced(**groups))
        except ValidationError as error:
            raise _explain(error) from None
        except (SettingsErrorInLibrary, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            where = config or "assistant.toml or the environment"
            raise SettingsError(f"{where}: {error}", "mend what it names") from None

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        data = os.environ.get(f"{PREFIX}DATA")  # the short name of ASSISTANT_LIBRARY__DATA
        short = InitSettingsSource(settings_cls, {"library": {"data": data}} if data else {})
        return init_settings, short, env_settings, TomlConfigSettingsSource(settings_cls)


def _explain(error: ValidationError) -> SettingsError:
    first = error.errors()[0]
    key = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        return _unknown(key)
    return SettingsError(
        f"setting {key}: {first['msg']} (got {first['input']!r})",
        f"give {key} another value; `assistant settings` shows all",
    )


def _unknown(key: str) -> SettingsError:
    known = [
        f"{group}.{field}"
        for group, info in Settings.model_fields.items()
        for field in getattr(info.annotation, "model_fields", {})
    ]
    spelled = key.removeprefix(PREFIX).lower().replace("__", ".")
    near = difflib.get_close_matches(spelled, known, n=1, cutoff=0.5)
    suggestion = f"did you mean {near[0]}? " if near else ""
    return SettingsError(f"unknown setting {key}", f"{suggestion}`assistant settings` lists all")
