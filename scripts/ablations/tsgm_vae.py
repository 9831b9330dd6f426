"""A realistic generator that a user might pick instead: a variational autoencoder for each class.

python scripts/ablations/tsgm_vae.py WINDOWS OUT --count 20000 --seed 0

In an environment of its own, without stimjax:

    pip install -r scripts/ablations/requirements-tsgm.txt

Learns from the training part of a folder of windows (`vae_conv5` of TSGM, Nikitin et al., arXiv
2305.11567; its conditional models fail with Keras 3 and torch) and writes windows with their labels
into OUT, for a row of a setup with `source: given`. What it generates is meant to look like
recordings.
"""

import argparse
import os
from pathlib import Path
from typing import Any

os.environ["KERAS_BACKEND"] = "torch"

import keras  # pyright: ignore[reportMissingImports]
import numpy as np
import tsgm  # pyright: ignore[reportMissingImports]
from safetensors.numpy import load_file, save_file

LATENT, BATCH, RATE = 10, 128, 1e-3
BETA = 0.01  # with 1 it ignores its latent variables


def main() -> None:
    """Train on the windows and write as many generated ones as asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("windows", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--epochs", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    keras.utils.set_random_seed(asked.seed)
    shards = [load_file(path) for path in sorted(asked.windows.glob("train-*.safetensors"))]
    x, y = (np.concatenate([shard[key] for shard in shards]) for key in ("x", "y"))
    low, wide = x.min((0, 1)), x.max((0, 1)) - x.min((0, 1)) + 1e-6

    scaled = ((x - low) / wide).astype(np.float32)
    rng = np.random.default_rng(asked.seed)
    label = rng.permutation(y[rng.integers(len(y), size=asked.count)].argmax(axis=1))
    made = np.empty((asked.count, *x.shape[1:]), np.float32)
    for number in np.unique(label):
        vae = _trained(scaled[y.argmax(axis=1) == number], asked.epochs)
        rows = np.flatnonzero(label == number)
        for part in np.array_split(rows, 1 + len(rows) // 1000):
            made[part] = keras.ops.convert_to_numpy(vae.generate(len(part)))
    asked.out.mkdir(parents=True)
    windows = (made * wide + low).astype(np.float32)
    one_hot = np.eye(y.shape[1], dtype=np.float32)[label]
    save_file({"x": windows, "y": one_hot}, asked.out / "windows.safetensors")


def _trained(windows: np.ndarray, epochs: int) -> Any:
    parts = tsgm.models.architectures.zoo["vae_conv5"](*windows.shape[1:], LATENT)
    vae = tsgm.models.cvae.BetaVAE(parts.encoder, parts.decoder, beta=BETA)
    vae.compile(optimizer=keras.optimizers.Adam(RATE))
    vae.fit(windows, batch_size=BATCH, epochs=epochs, verbose=2)
    return vae


if __name__ == "__main__":
    main()
