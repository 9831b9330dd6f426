"""A kept student for onnxruntime: windows in, probabilities out, and neither JAX nor scikit-learn.

`model.onnx` takes `x` f32[n, time, channel] (of images f32[n, height, width, channel]), n of any
size, and gives `probability` f32[n, classes]. All that a student does with a window is in it, also
what scikit-learn's get for features. jax2onnx converts the deep students, skl2onnx the classical
ones.
"""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jax
import numpy as np
from jaxtyping import Float

from stimjax.students.classical import Fitted, pooled
from stimjax.students.study import Networks
from stimjax.trained.weights import Learned

if TYPE_CHECKING:
    from onnx import ModelProto, TensorProto

FILE = "model.onnx"
NEEDS = ("jax2onnx", "skl2onnx", "onnx", "onnxruntime")  # what the extra `onnx` brings
TOLERANCE = 1e-4  # of a probability, against the student itself
OPSETS = {"": 18, "ai.onnx.ml": 3}  # the newest that skl2onnx writes for all of the students
CHECKED = 1000  # windows on which the two are compared


def write(
    learned: Learned, student: str, x: Float[np.ndarray, "n ..."], folder: Path
) -> str | None:
    """Write `model.onnx` into `folder`, if it gives what the student gives.

    Args:
        learned: the student's weights.
        student: its name.
        x: windows on which both are compared.
        folder: to write into.

    Returns:
        Why there is none, in a line; None where it was written.
    """
    missing = [name for name in NEEDS if find_spec(name) is None]
    if missing:
        return f"no {FILE}: {missing[0]} is not installed; pip install 'stimjax[onnx]'"
    x = np.asarray(x[:CHECKED], np.float32)
    try:
        with _quiet():
            model = _converted(learned, student, x.shape[1:])
            content = model.SerializeToString()
            found = run(content, x)
    except Exception as error:  # the converters raise whatever meets them
        reason = " ".join(str(error).split())[:120]
        return f"no {FILE}: the student {student} cannot be converted ({reason})"
    expected = learned.probability(x)
    expected = expected if isinstance(learned, Fitted) else expected[0]
    apart = float(np.abs(found - expected).max())
    if not apart <= TOLERANCE:  # NaN is none either
        return f"no {FILE}: it is {apart:.1g} from what the student {student} itself gives"
    (folder / FILE).write_bytes(content)
    return None


def run(content: bytes, x: Float[np.ndarray, "n ..."]) -> Float[np.ndarray, "n classes"]:
    """What a model in ONNX gives for windows, by onnxruntime on one core."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = 1, 3
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    return session.run(["probability"], {"x": x})[0]


def _converted(learned: Learned, student: str, shape: tuple[int, ...]) -> ModelProto:
    if isinstance(learned, Networks):
        return _deep(learned, student, shape)
    return _classical(learned, shape)


def _deep(learned: Networks, student: str, shape: tuple[int, ...]) -> ModelProto:
    import jax2onnx

    params = jax.tree.map(lambda leaf: leaf[0], learned.params)

    def probability(x: jax.Array) -> jax.Array:
        return jax.nn.softmax(learned.model.apply(params, x))

    return jax2onnx.to_onnx(  # pyright: ignore[reportReturnType]
        probability,
        [("n", *shape)],
        model_name=student,
        opset=OPSETS[""],
        input_names=["x"],
        output_names=["probability"],
    )


def _classical(learned: Fitted, shape: tuple[int, ...]) -> ModelProto:
    """skl2onnx's graph between two of ours: windows to features, its answer to probabilities."""
    from onnx import compose, helper
    from skl2onnx import to_onnx
    from skl2onnx.common.data_types import FloatTensorType

    options: dict[str, Any] = {}
    if hasattr(learned.model, "classes_"):
        options = {"zipmap": False, **({"raw_scores": True} if learned.name == "svm" else {})}
    middle: Any = to_onnx(
        learned.model,
        initial_types=[("features", FloatTensorType([None, learned.model.n_features_in_]))],
        options={id(learned.model): options} if options else None,
        target_opset=OPSETS,
    )
    answer = middle.graph.output[-1].name  # the one before it, if any, is the label
    before, after = _before(shape), _after(learned, answer)
    opsets = [helper.make_opsetid(domain, version) for domain, version in OPSETS.items()]
    for model in (before, middle, after):
        del model.opset_import[:]
        model.opset_import.extend(opsets)
        model.ir_version = before.ir_version
    del middle.graph.output[:-1]
    joined = compose.merge_models(before, middle, [("flat", "features")])
    return compose.merge_models(joined, after, [(answer, answer)])


def _before(shape: tuple[int, ...]) -> ModelProto:
    """From windows `x` to rows `flat`, as `classical.features_of` does."""
    from onnx import TensorProto, helper

    size = pooled(shape)
    nodes, constants, last = [], [], "x"
    if size > 1:
        parts = shape[0] // size
        constants = [
            _numbers("first", [0]),
            _numbers("last", [parts * size]),
            _numbers("time", [1]),
            _numbers("parts", [0, parts, size, shape[1]]),
            _numbers("within", [2]),
        ]
        nodes = [
            helper.make_node("Slice", ["x", "first", "last", "time"], ["whole"]),
            helper.make_node("Reshape", ["whole", "parts"], ["cut"]),
            helper.make_node("ReduceMean", ["cut", "within"], ["means"], keepdims=0),
        ]
        last = "means"
    nodes.append(helper.make_node("Flatten", [last], ["flat"], axis=1))
    graph = helper.make_graph(
        nodes,
        "features",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", *shape])],
        [helper.make_tensor_value_info("flat", TensorProto.FLOAT, ["n", None])],
        constants,
    )
    return helper.make_model(graph)


def _after(learned: Fitted, answer: str) -> ModelProto:
    """From a model's answer to `probability`, as `Fitted.probability` does."""
    from onnx import TensorProto, helper

    if learned.name == "knn":
        constants = [_numbers("weights", [learned.classes])]
        constants += [_numbers("labels", list(range(learned.classes)))]
        nodes = [
            helper.make_node("Gather", [answer, "labels"], ["label_means"], axis=1),
            helper.make_node("Gather", [answer, "weights"], ["weight_means"], axis=1),
            helper.make_node("Div", ["label_means", "weight_means"], ["probability"]),
        ]
    else:
        # A matrix of 0 and 1 puts every class that the model knows into its own column.
        place = np.eye(learned.classes, dtype=np.float32)[list(learned.columns)]
        constants = [_array("place", place)]
        nodes, last = [], answer
        if learned.name == "svm":
            # Of two classes ONNX has the one distance with both signs, the negative one last.
            factor = -0.5 if len(learned.columns) == 2 else 1.0
            constants.append(_array("factor", np.array(factor, np.float32)))
            nodes = [
                helper.make_node("Mul", [answer, "factor"], ["scores"]),
                helper.make_node("Softmax", ["scores"], ["known"], axis=1),
            ]
            last = "known"
        nodes.append(helper.make_node("MatMul", [last, "place"], ["probability"]))
    graph = helper.make_graph(
        nodes,
        "probability",
        [helper.make_tensor_value_info(answer, TensorProto.FLOAT, ["n", None])],
        [helper.make_tensor_value_info("probability", TensorProto.FLOAT, ["n", learned.classes])],
        constants,
    )
    return helper.make_model(graph)


def _numbers(name: str, values: list[int]) -> TensorProto:
    return _array(name, np.array(values, np.int64))


def _array(name: str, values: np.ndarray) -> TensorProto:
    from onnx import numpy_helper

    return numpy_helper.from_array(values, name)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without what the converters say of themselves."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with (
            warnings.catch_warnings(),
            contextlib.redirect_stdout(io.StringIO()),
            contextlib.redirect_stderr(io.StringIO()),
        ):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
