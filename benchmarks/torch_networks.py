"""The networks of stimjax that benchmarks compare with, written by hand in PyTorch.

Functions of flat parameters, by the names that flax gives them joined with slashes, so that the
same weights go into both. Nothing of stimjax is imported: this lives in PyTorch's environment.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch  # pyright: ignore[reportMissingImports]
import torch.nn.functional as F  # pyright: ignore[reportMissingImports]
from safetensors.numpy import load_file

Params = dict[str, Any]
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
SIZE = 5  # of the CNN's convolutions
MOST_APART = 1e-4  # between an output here and that of stimjax


def load(path: Path, name: str) -> Params:
    """The tensors of a safetensors file whose names begin with `name/`, without it."""
    found = {key: torch.from_numpy(a).to(DEVICE) for key, a in load_file(path).items()}
    start = f"{name}/"
    return {key.removeprefix(start): t for key, t in found.items() if key.startswith(start)}


def prepared(params: Mapping[str, Any]) -> Params:
    """Weights as PyTorch's functions take them: dense ones transposed, those of convolutions too.

    Attention's are flattened over the heads, and its query, key and value joined into one.
    """
    found: Params = {}
    for name, value in params.items():
        if name.startswith("Conv") and name.endswith("kernel"):
            before = params[name.replace("kernel", "bias")].shape[0]
            found[name] = value.reshape(SIZE, -1, before).permute(2, 1, 0).contiguous()
        elif "Attention" not in name:
            found[name] = value.T.contiguous() if name.endswith("kernel") else value.clone()
    for block in sorted({name.split("/")[0] for name in params if "Attention" in name}):
        width = params[f"{block}/out/bias"].shape[0]
        inward = [params[f"{block}/{part}/kernel"] for part in ("query", "key", "value")]
        biases = [params[f"{block}/{part}/bias"] for part in ("query", "key", "value")]
        found[f"{block}/in/kernel"] = torch.cat([k.reshape(width, -1) for k in inward], 1).T.clone()
        found[f"{block}/in/bias"] = torch.cat([b.reshape(-1) for b in biases])
        found[f"{block}/out/kernel"] = params[f"{block}/out/kernel"].reshape(-1, width).T.clone()
        found[f"{block}/out/bias"] = params[f"{block}/out/bias"].clone()
    return found


def dense(params: Mapping[str, Any], name: str, x: Any) -> Any:
    return F.linear(x, params[f"{name}/kernel"], params[f"{name}/bias"])


def dropped(x: Any, share: float, train: bool) -> Any:
    return F.dropout(x, share) if train else x


def cnn(params: Mapping[str, Any], x: Any, train: bool = False) -> Any:
    """Logits [n, class] of windows [n, time, channel]; `stimjax.models.classifiers.CNN`.

    By PyTorch's convolution, or by shifted slices and a product for the weights of `for_slices`.
    """
    slices = params["Conv_0/Dense_0/kernel"].ndim == 2
    x = x if slices else x.transpose(1, 2)
    for level in range(3):
        name = f"Conv_{level}/Dense_0"
        if slices:
            time = x.shape[1]
            padded = F.pad(x, (0, 0, SIZE // 2, SIZE // 2))
            shifted = torch.cat([padded[:, i : i + time] for i in range(SIZE)], -1)
            x = dense(params, name, shifted)[:, : time // 2 * 2]
            x = F.relu(x.reshape(len(x), time // 2, 2, -1).amax(2))
        else:
            x = F.conv1d(x, params[f"{name}/kernel"], params[f"{name}/bias"], padding="same")
            x = F.relu(F.max_pool1d(x, 2))
    axis = 1 if slices else 2
    x = dropped(torch.cat([x.mean(axis), x.amax(axis)], 1), 0.2, train)
    return dense(params, "Dense_1", F.relu(dense(params, "Dense_0", x)))


def for_slices(params: Mapping[str, Any]) -> Params:
    """The CNN's weights with those of convolutions as matrices over all shifts."""
    return {
        name: value.permute(0, 2, 1).flatten(1).contiguous() if value.ndim == 3 else value
        for name, value in params.items()
    }


def transformer(params: Mapping[str, Any], x: Any, train: bool = False) -> Any:
    """Logits of windows [n, time, channel]; `stimjax.models.classifiers.Transformer`."""
    most = 16
    size = math.ceil(x.shape[1] / most)
    x = F.pad(x, (0, 0, 0, -x.shape[1] % size)).reshape(len(x), -1, size * x.shape[2])
    x = dense(params, "Dense_0", x) + params["position"]
    norms = iter(range(5))
    for block in range(2):
        y = _attention(params, f"MultiHeadDotProductAttention_{block}", _norm(params, norms, x))
        x = x + dropped(y, 0.1, train)
        y = F.gelu(
            dense(params, f"Dense_{2 * block + 1}", _norm(params, norms, x)), approximate="tanh"
        )
        x = x + dropped(dense(params, f"Dense_{2 * block + 2}", y), 0.1, train)
    x = _norm(params, norms, x)
    return dense(params, "Dense_5", torch.cat([x.mean(1), x.amax(1)], 1))


def _norm(params: Mapping[str, Any], numbers: Any, x: Any) -> Any:
    name = f"LayerNorm_{next(numbers)}"
    return F.layer_norm(x, x.shape[-1:], params[f"{name}/scale"], params[f"{name}/bias"], 1e-6)


def _attention(params: Mapping[str, Any], name: str, x: Any, heads: int = 4) -> Any:
    n, tokens, width = x.shape
    joined = dense(params, f"{name}/in", x).reshape(n, tokens, 3, heads, width // heads)
    query, key, value = joined.permute(2, 0, 3, 1, 4)
    y = F.scaled_dot_product_attention(query, key, value)
    return dense(params, f"{name}/out", y.transpose(1, 2).reshape(n, tokens, width))


CLASSIFIERS = {"cnn": cnn, "transformer": transformer}


def generator(params: Mapping[str, Any], z: Any, train: bool = False) -> Any:
    """Values from 0 to 1, [n, value], of `z` [n, latent]; the dense generator of stimjax."""
    for layer in range(2):
        z = dropped(F.relu(dense(params, f"Dense_{layer}", z)), 0.1, train)
    return torch.sigmoid(dense(params, "Dense_2", z))


def lane_generators(params: Mapping[str, Any], z: Any, train: bool = False) -> Any:
    """The same for lanes with weights of their own, [lane, out, in], by batched products."""
    z = z.unsqueeze(-1)
    for layer in range(3):
        name = f"Dense_{layer}"
        z = torch.baddbmm(params[f"{name}/bias"].unsqueeze(-1), params[f"{name}/kernel"], z)
        z = torch.sigmoid(z) if layer == 2 else dropped(F.relu(z), 0.1, train)
    return z.squeeze(-1)


def new_generators(shapes: Mapping[str, tuple[int, ...]], lanes: int) -> Params:
    """Freshly drawn weights of `lanes` generators: Glorot's uniform, biases zero."""
    found: Params = {}
    for name, shape in shapes.items():
        limit = math.sqrt(6 / sum(shape)) if len(shape) == 2 else 0.0
        found[name] = torch.empty(lanes, *shape).uniform_(-1, 1) * limit
    return found


def same(found: Any, wanted: np.ndarray | Any) -> float:
    """How far apart two outputs are at most; raises if that is more than rounding."""
    apart = float((found.detach() - torch.as_tensor(wanted)).abs().max())
    if not apart < MOST_APART:
        raise AssertionError(f"PyTorch's output is {apart:g} off that of stimjax")
    return apart
