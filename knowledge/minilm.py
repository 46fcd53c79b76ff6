"""The all-MiniLM-L6-v2 network as an ONNX graph, built from the published weights.

BERT with 6 layers, 12 heads and 384 dimensions; mean pooling over the tokens and scaling to unit length
are part of the graph. Inputs `ids` and `mask` are int64 of shape (batch, tokens); output `embedding` is
float32 of shape (batch, 384), and `states`, float32 of shape (batch, tokens, 384), is what it is the mean of.
"""

import hashlib
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import load

LAYERS, HEADS, WIDTH, EPSILON = 6, 12, 384, 1e-12
PUBLISHED = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""SHA-256 of the `model.safetensors` that the model's authors published."""


class WrongWeights(Exception):
    """The weights are not the published file."""


def weights(path: Path) -> dict[str, NDArray[np.float32]]:
    """Read the published weights; raise `WrongWeights` for any other bytes."""
    data = path.read_bytes()
    found = hashlib.sha256(data).hexdigest()
    if found != PUBLISHED:
        raise WrongWeights(f"{path.name}: SHA-256 is {found}, the published weights have {PUBLISHED}.")
    return load(data)


class _Graph:
    """Nodes and constants of a graph while it is being put together."""

    def __init__(self, constants: dict[str, NDArray[np.float32]]) -> None:
        self.constants = constants
        self.nodes: list[onnx.NodeProto] = []
        self.tensors: dict[str, onnx.TensorProto] = {}

    def constant(self, name: str, value: NDArray[np.float32] | NDArray[np.int64]) -> str:
        self.tensors[name] = numpy_helper.from_array(value, name)
        return name

    def node(self, kind: str, *inputs: str, **attributes: object) -> str:
        output = f"{kind}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [output], output, **attributes))  # type: ignore[arg-type]
        return output

    def weight(self, name: str) -> str:
        return self.constant(name, self.constants[name])

    def linear(self, x: str, name: str) -> str:
        transposed = np.ascontiguousarray(self.constants[f"{name}.weight"].T)
        product = self.node("MatMul", x, self.constant(f"{name}.weight", transposed))
        return self.node("Add", product, self.weight(f"{name}.bias"))

    def norm(self, x: str, name: str) -> str:
        scale, shift = self.weight(f"{name}.weight"), self.weight(f"{name}.bias")
        return self.node("LayerNormalization", x, scale, shift, axis=-1, epsilon=EPSILON)

    def attention(self, x: str, bias: str, name: str) -> str:
        def heads(part: str, order: list[int]) -> str:
            split = self.node("Reshape", self.linear(x, f"{name}.self.{part}"), "heads")
            return self.node("Transpose", split, perm=order)

        query, value = heads("query", [0, 2, 1, 3]), heads("value", [0, 2, 1, 3])
        scores = self.node("MatMul", query, heads("key", [0, 2, 3, 1]))
        scaled = self.node("Add", self.node("Mul", scores, "scale"), bias)
        mixed = self.node("MatMul", self.node("Softmax", scaled, axis=-1), value)
        joined = self.node("Reshape", self.node("Transpose", mixed, perm=[0, 2, 1, 3]), "joined")
        return self.linear(joined, f"{name}.output.dense")

    def layer(self, x: str, bias: str, name: str) -> str:
        attended = self.node("Add", x, self.attention(x, bias, f"{name}.attention"))
        middle = self.norm(attended, f"{name}.attention.output.LayerNorm")
        wide = self.node("Gelu", self.linear(middle, f"{name}.intermediate.dense"))
        narrow = self.linear(wide, f"{name}.output.dense")
        return self.norm(self.node("Add", middle, narrow), f"{name}.output.LayerNorm")


def graph(constants: dict[str, NDArray[np.float32]]) -> onnx.ModelProto:
    """The whole network in 32-bit floating point, opset 20."""
    g = _Graph(constants)
    g.constant("heads", np.array([0, 0, HEADS, WIDTH // HEADS], np.int64))
    g.constant("joined", np.array([0, 0, WIDTH], np.int64))
    g.constant("scale", np.array((WIDTH // HEADS) ** -0.5, np.float32))
    g.constant("one", np.array(1, np.float32))
    g.constant("masked", np.array(-1e9, np.float32))
    g.constant("axis_1", np.array([1], np.int64))
    g.constant("axis_2", np.array([2], np.int64))
    g.constant("axes_12", np.array([1, 2], np.int64))
    g.constant("zero_1d", np.array([0], np.int64))
    length = g.node("Shape", "ids", start=1, end=2)
    positions = g.node("Slice", g.weight("embeddings.position_embeddings.weight"), "zero_1d", length, "zero_1d")
    words = g.node("Gather", g.weight("embeddings.word_embeddings.weight"), "ids")
    kind = g.constant("token_type", constants["embeddings.token_type_embeddings.weight"][0])
    x = g.norm(g.node("Add", g.node("Add", words, positions), kind), "embeddings.LayerNorm")
    mask = g.node("Cast", "mask", to=TensorProto.FLOAT)
    bias = g.node("Unsqueeze", g.node("Mul", g.node("Sub", "one", mask), "masked"), "axes_12")
    for number in range(LAYERS):
        x = g.layer(x, bias, f"encoder.layer.{number}")
    g.nodes.append(helper.make_node("Identity", [x], ["states"]))
    seen = g.node("Unsqueeze", mask, "axis_2")
    total = g.node("ReduceSum", g.node("Mul", x, seen), "axis_1", keepdims=0)
    mean = g.node("Div", total, g.node("ReduceSum", mask, "axis_1", keepdims=1))
    g.nodes.append(helper.make_node("LpNormalization", [mean], ["embedding"], axis=-1, p=2))
    inputs = [helper.make_tensor_value_info(n, TensorProto.INT64, ["batch", "tokens"]) for n in ("ids", "mask")]
    outputs = [
        helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["batch", WIDTH]),
        helper.make_tensor_value_info("states", TensorProto.FLOAT, ["batch", "tokens", WIDTH]),
    ]
    body = helper.make_graph(g.nodes, "all-MiniLM-L6-v2", inputs, outputs, list(g.tensors.values()))
    model = helper.make_model(body, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    model.metadata_props.add(key="onnx.quant.pre_process", value="onnxruntime.quant")  # its shapes need no inference
    onnx.checker.check_model(model)
    return model
