"""The loop of the paper's authors in TensorFlow, one stimulus at a time, and a student of these.

PYTHON paper_tensorflow.py GIVEN.npz FOUND.npz --stimuli N --seed N [--epochs N] [--eager]

Networks and settings are those that the authors' proof of concept for MNIST states; the program is
written from these, not from its code. It runs in an environment of its own
(`requirements/tensorflow.txt`) and imports nothing of stimjax.

GIVEN holds the teacher's weights in Keras' order (`teacher_00` and on) and the images `test` to
predict, f32[n, 28, 28, 1]. FOUND gets the stimuli `x` and their soft labels `y`, the counts `steps`
and `failed`, the `seconds` of the loop, and `probability`, what the student says of `test`.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import tensorflow as tf  # pyright: ignore
from tensorflow import keras  # pyright: ignore

CLASSES, LATENT, STEPS = 10, 512, 50
RATE, BATCH = 1e-3, 128
LEAST, MOST = 0.75, 0.9999  # of the thresholds
layers = keras.layers


def classifier() -> keras.Model:
    """Logits of an image: teacher and student."""

    def convolution(features: int) -> keras.Layer:
        return layers.Conv2D(features, 4, padding="same", activation=tf.nn.leaky_relu)

    return keras.Sequential(
        [
            layers.Input((28, 28, 1)),
            *(convolution(32), layers.MaxPooling2D(2)),
            *(convolution(64), layers.MaxPooling2D(2)),
            *(convolution(128), convolution(128)),
            layers.Flatten(),
            *(layers.Dense(1024, activation=tf.nn.leaky_relu), layers.Dropout(0.2)),
            *(layers.Dense(128, activation=tf.nn.leaky_relu), layers.Dropout(0.2)),
            layers.Dense(CLASSES),
        ]
    )


def generator() -> keras.Model:
    """An image of a latent vector."""
    leaky = layers.LeakyReLU
    transposed = layers.Conv2DTranspose
    return keras.Sequential(
        [
            layers.Input((LATENT,)),
            *(layers.Dense(512, activation="relu"), layers.Dropout(0.2)),
            *(layers.Dense(3920), leaky(0.3), layers.Dropout(0.2)),
            layers.Reshape((7, 7, 80)),
            *(transposed(128, 2, strides=2, padding="same"), leaky(0.3)),
            *(transposed(64, 4, strides=2, padding="same"), leaky(0.3)),
            *(part for _ in range(3) for part in (transposed(32, 4, padding="same"), leaky(0.3))),
            transposed(1, 4, padding="same", activation="sigmoid"),
        ]
    )


def excite(teacher: keras.Model, count: int, seed: int) -> dict[str, np.ndarray]:
    """So many stimuli of one generator; where 50 steps do not excite a class, all is drawn anew."""
    rng = np.random.default_rng(seed)
    model, optimizer = generator(), keras.optimizers.Adam(RATE)
    optimizer.build(model.trainable_variables)

    @tf.function
    def step(z: tf.Tensor, label: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        with tf.GradientTape() as tape:
            logits = teacher(model(z, training=True), training=False)
            loss = tf.nn.sparse_softmax_cross_entropy_with_logits(label, logits)
        variables = model.trainable_variables
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
        x = model(z, training=False)
        return x, tf.nn.softmax(teacher(x, training=False))

    def attempt() -> tuple[int, tuple[np.ndarray, np.ndarray] | None]:
        label, threshold = int(rng.integers(CLASSES)), rng.uniform(LEAST, MOST)
        z = tf.constant(rng.normal(size=(1, LATENT)), tf.float32)
        for number in range(1, STEPS + 1):
            x, y = step(z, tf.constant([label]))
            if y[0, label] > threshold:
                return number, (x.numpy()[0], y.numpy()[0])
        return STEPS, None

    step(tf.zeros((1, LATENT)), tf.constant([0]))  # traced, and once applied
    redraw(model, rng)
    found, steps, failed = [], 0, 0
    since = time.monotonic()
    while len(found) < count:
        taken, stimulus = attempt()
        steps += taken
        if stimulus is None:
            failed += 1
            redraw(model, rng)
        else:
            found.append(stimulus)
    seconds = time.monotonic() - since
    x, y = (np.stack(part).astype(np.float32) for part in zip(*found, strict=True))
    about = {"steps": steps, "failed": failed, "seconds": seconds}
    return {"x": x, "y": y, **{name: np.array(value) for name, value in about.items()}}


def redraw(model: keras.Model, rng: np.random.Generator) -> None:
    """Draw weights and biases anew, uniformly as Glorot and Bengio (2010) say."""
    for variable in model.trainable_variables:
        draw = keras.initializers.GlorotUniform(seed=int(rng.integers(2**31)))
        variable.assign(draw(variable.shape))


def student(stimuli: dict[str, np.ndarray], test: np.ndarray, epochs: int) -> np.ndarray:
    """What a student of the stimuli says of the images `test`."""
    model = classifier()
    loss = keras.losses.CategoricalCrossentropy(from_logits=True)
    model.compile(optimizer=keras.optimizers.Adam(RATE), loss=loss)
    model.fit(stimuli["x"], stimuli["y"], epochs=epochs, batch_size=BATCH, verbose=0)
    return keras.ops.convert_to_numpy(keras.ops.softmax(model.predict(test, verbose=0)))


def main() -> None:
    """Excite, teach a student, save."""
    parser = argparse.ArgumentParser()
    parser.add_argument("given")
    parser.add_argument("found")
    parser.add_argument("--stimuli", type=int, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--epochs", type=int, default=130)
    parser.add_argument("--eager", action="store_true")
    asked = parser.parse_args()

    keras.utils.set_random_seed(asked.seed)
    tf.config.run_functions_eagerly(asked.eager)
    given = np.load(asked.given)
    teacher = classifier()
    teacher.set_weights([given[name] for name in sorted(given) if name.startswith("teacher_")])
    found = excite(teacher, asked.stimuli, asked.seed)
    tf.config.run_functions_eagerly(False)
    found["probability"] = student(found, given["test"], asked.epochs)
    np.savez(asked.found, allow_pickle=False, **found)


if __name__ == "__main__":
    main()
