"""Lane-steps of the paper's method against what arithmetic and memory allow, on one device.

Both ceilings are measured in the same run, with jax: FLOP/s by a large matrix product, bytes a
second by triads (`a = b + s c`) and by Adam's own stream (parameters and both moments, read and
written), on arrays larger than the cache and on arrays as large as the state of a block. On a CPU
the device is one core. The teacher is a CNN, the generator dense, windows are 60 by 4.

FLOPs and bytes are counted by hand. FLOPs: the matrix products of a step (generator and teacher
forward, the teacher's input gradient, the generator's weights' and inputs' gradients, and both
forward again in the check); Adam and other elementwise work do not count. Bytes: parameters and
moments, each read once and written once. What XLA counts for the compiled step is given beside
it: its FLOPs include elementwise work, its bytes every operand of every operation, cached or not.

The floor of a step is the larger of two times: its FLOPs at the ceiling, and its bytes at the
bandwidth that is measured for a block of its size. The share reached is that floor over the
measured time. `shapes` is a ceiling that is closer to the matter: the FLOP/s of products of the
teacher's own shapes, which are small.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any

import workers

REPEATS = workers.sized(5, 1)
WIDTHS = workers.sized(
    {"cpu": (1, 8, 16, 32, 128), "gpu": (64, 256, 1024, 4096, 16384)}, {"cpu": (4,), "gpu": (64,)}
)
SIDE = {"cpu": 1024, "gpu": 8192}  # of the large product
LARGE = {"cpu": 2**24, "gpu": 2**28}  # floats of an array that no cache holds
SECONDS = workers.sized(0.1, 0.01)  # that a measurement of a small kernel takes at least
MATRICES = 4  # inputs that a loop over small products goes through, so that none is hoisted


def measure() -> dict[str, Any]:
    """Ceilings, counts, and the share reached by blocks of several widths."""
    with workers.on(workers.cores()[:1]):
        return _measure()


def _measure() -> dict[str, Any]:
    import jax
    import mixture
    import paper

    from stimjax import models

    kind = "cpu" if jax.default_backend() == "cpu" else "gpu"
    teacher = paper.untrained(mixture.SPEC)
    ((_, cnn),) = teacher.models
    generator = jax.eval_shape(lambda key: paper.programs(teacher, 1)[0](key).lanes.params, _key())
    flop, moved = flops(cnn, generator), 2 * 3 * 4 * models.size(generator)
    kernels: dict[str, tuple[float, Callable[[], Any]]] = {  # name -> (work of a call, a call)
        "product": product(SIDE[kind]),
        "triad": triad(LARGE[kind]),
        "adam": adam(LARGE[kind], 1),
    }
    for width in WIDTHS[kind]:
        kernels[f"shapes {width}"] = shapes(cnn, width)
        kernels[f"adam {width}"] = adam(models.size(generator) * width, 50)
        kernels[f"steps {width}"] = steps(teacher, width)
    rates = rates_of(kernels)
    ceiling = rates["product"]
    rows = {}
    for width in WIDTHS[kind]:
        row = {
            "measured": 1 / rates[f"steps {width}"],
            "arithmetic": flop / ceiling,
            "memory": moved / rates[f"adam {width}"],
            "memory_beyond_cache": moved / max(rates["triad"], rates["adam"]),
            "arithmetic_of_shapes": flop / max(rates[f"shapes {width}"], 1.0),
        }
        rows[width] = {"lane_steps_a_second": round(rates[f"steps {width}"]), **judged(row)}
    return {
        "device": jax.devices()[0].device_kind,
        "flops_a_lane_step": flop,
        "bytes_a_lane_step": moved,
        "counted_by_xla": xla_counts(teacher, 16),
        "ceilings": {
            "gigaflops": round(ceiling / 1e9, 1),
            "gigabytes_a_second": round(max(rates["triad"], rates["adam"]) / 1e9, 1),
            "triad": round(rates["triad"] / 1e9, 1),
            "adam": round(rates["adam"] / 1e9, 1),
            "gigaflops_of_shapes": _by_width(rates, "shapes"),
            "gigabytes_a_second_of_blocks": _by_width(rates, "adam"),
        },
        "blocks": rows,
    }


def judged(seconds: Mapping[str, float]) -> dict[str, Any]:
    """Times of a lane-step in microseconds, the share of the floor reached, and what bounds it.

    Args:
        seconds: measured, arithmetic, memory, and others that are only shown.
    """
    floor = max(seconds["arithmetic"], seconds["memory"])
    by = "arithmetic" if floor == seconds["arithmetic"] else "memory"
    shown = {name: round(1e6 * value, 2) for name, value in seconds.items()}
    return {
        "microseconds": {**shown, "floor": round(1e6 * floor, 2)},
        "share_of_floor": round(floor / seconds["measured"], 3),
        "bounded_by": by,
    }


def flops(cnn: Mapping[str, Any], generator: Mapping[str, Any]) -> int:
    """Those of all matrix products of a lane-step, a multiplication and an addition each."""
    teacher = sum(rows * kernel.size for rows, kernel in products(cnn))
    layers = [layer["kernel"].size for layer in generator.values()]
    forward, inputs = sum(layers), sum(layers[1:])  # nothing asks for the gradient of z
    return 2 * (3 * teacher + 3 * forward + inputs)


def products(cnn: Mapping[str, Any]) -> list[tuple[int, Any]]:
    """The CNN's kernels [in, out], each with the rows that it is applied to for one window."""
    import mixture

    rows = [mixture.SPEC.shape[0] // 2**level for level in range(3)]
    convolutions = [cnn[f"Conv_{level}"]["Dense_0"]["kernel"] for level in range(3)]
    dense = [(1, cnn[f"Dense_{layer}"]["kernel"]) for layer in range(2)]
    return list(zip(rows, convolutions, strict=True)) + dense


def product(side: int) -> tuple[float, Callable[[], Any]]:
    """A large product; its work in FLOPs."""
    import jax

    a = jax.random.normal(_key(), (side, side))
    multiply = jax.jit(lambda a: a @ a)
    return 2.0 * side**3, lambda: multiply(a)


def shapes(cnn: Mapping[str, Any], width: int) -> tuple[float, Callable[[], Any]]:
    """Products of the teacher's shapes for a block of lanes, one after the other, in a loop."""
    import jax

    kernels = [(width * rows, kernel) for rows, kernel in products(cnn)]
    once = sum(2.0 * rows * kernel.size for rows, kernel in kernels)
    loops = max(MATRICES, int(2e8 / once))
    given = [  # an argument of the program: as constants they would be compiled into it
        (jax.random.normal(_key(), (MATRICES, rows, kernel.shape[0])), kernel)
        for rows, kernel in kernels
    ]

    def body(i: Any, total: Any, given: Any) -> Any:
        for x, kernel in given:
            y = jax.lax.dynamic_index_in_dim(x, i % MATRICES, keepdims=False) @ kernel
            total = total + y[0, 0] + y[-1, -1]
        return total

    run = jax.jit(
        lambda given: jax.lax.fori_loop(0, loops, lambda i, total: body(i, total, given), 0.0)
    )
    return once * loops, lambda: run(given)


def triad(size: int) -> tuple[float, Callable[[], Any]]:
    """`a = b + s c`; its work in bytes."""
    import jax

    b, c = (jax.random.normal(_key(), (size,)) for _ in range(2))
    run = jax.jit(lambda b, c: b + 3.0 * c)
    return 3.0 * 4 * size, lambda: run(b, c)


def adam(size: int, loops: int) -> tuple[float, Callable[[], Any]]:
    """Adam's stream over parameters and moments of `size` numbers; its work in bytes."""
    import jax
    import jax.numpy as jnp

    def body(i: Any, state: tuple[Any, Any, Any]) -> tuple[Any, Any, Any]:
        p, m, v = state
        g = 1e-3 * p  # a gradient that needs no memory of its own
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        return p - 1e-3 * m / (jnp.sqrt(v) + 1e-8), m, v

    run = jax.jit(lambda s: jax.lax.fori_loop(0, loops, body, s), donate_argnums=0)
    box = [tuple(jnp.ones(size) for _ in range(3))]

    def call() -> Any:
        box[0] = run(box[0])
        return box[0]

    return 2.0 * 3 * 4 * size * loops, call


def steps(teacher: Any, width: int) -> tuple[float, Callable[[], Any]]:
    """A dispatch of a block of lanes; its work in lane-steps."""
    import jax
    import paper

    start, advance, _ = paper.programs(teacher, width)
    run = jax.jit(advance, donate_argnums=1)
    box = [jax.jit(start)(_key())]

    def call() -> Any:
        box[0], emitted = run(teacher.params, box[0])
        return emitted

    return float(paper.STEPS * width), call


def xla_counts(teacher: Any, width: int) -> dict[str, float]:
    """FLOPs and bytes a lane-step of a compiled block, as XLA counts them."""
    import jax
    import paper

    start, advance, _ = paper.programs(teacher, width, steps=1)
    state = jax.eval_shape(start, _key())
    found = jax.jit(advance).lower(teacher.params, state).compile().cost_analysis() or {}
    names = {"flops": "flops", "bytes accessed": "bytes", "transcendentals": "transcendentals"}
    return {name: round(found[key] / width) for key, name in names.items() if key in found}


def rates_of(kernels: Mapping[str, tuple[float, Callable[[], Any]]]) -> dict[str, float]:
    """Median work a second of each; they take turns."""
    import jax

    calls: dict[str, int] = {}
    for name, (_, call) in kernels.items():
        jax.block_until_ready(call())  # compiles
        start = time.perf_counter()
        jax.block_until_ready(call())
        calls[name] = max(1, round(SECONDS / (time.perf_counter() - start)))
    rates: dict[str, list[float]] = {name: [] for name in kernels}
    for _ in range(REPEATS):
        for name, (work, call) in kernels.items():
            start = time.perf_counter()
            for _ in range(calls[name]):
                done = call()
            jax.block_until_ready(done)
            rates[name].append(work * calls[name] / (time.perf_counter() - start))
    return {name: statistics.median(all_) for name, all_ in rates.items()}


def _by_width(rates: Mapping[str, float], name: str) -> dict[str, float]:
    start = f"{name} "
    return {k.removeprefix(start): round(r / 1e9, 1) for k, r in rates.items() if start in k}


def _key() -> Any:
    import jax

    return jax.random.key(0)
