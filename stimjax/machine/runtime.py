"""What jax has to be told before it is used, in one place."""

from __future__ import annotations

import logging
import os
from pathlib import Path

# Loggers that chat on standard error.
QUIET = ("absl", "orbax", "jax", "jaxlib", "flax", "etils", "matplotlib")
# Else XLA tries several ways to multiply on a GPU and takes the fastest, which is not always the
# same: two processes made releases that differed in their bits. It gained nothing.
UNTUNED = "--xla_gpu_autotune_level=0"
FROM_SECONDS = 0.2  # a program that took longer to compile is kept for the next command


def start() -> None:
    """Give jax devices, fix what it computes, keep what it compiles, and let only stimjax speak.

    A device for each core. Call it before anything computes; afterward it changes nothing. The
    user's own settings win: `NPROC` for the size of XLA's pool of threads,
    `XLA_FLAGS` or `JAX_NUM_CPU_DEVICES` for the devices, `JAX_DEFAULT_MATMUL_PRECISION` for that of
    products on an accelerator, `JAX_COMPILATION_CACHE_DIR` for the place of compiled programs (else
    `stimjax/jax` in `XDG_CACHE_HOME` or `~/.cache`).
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # XLA's own log, written by C++
    # XLA's pool of threads. More of them than cores get into each other's way: with eight, two
    # devices on two cores were no faster than one; with two, one core is slower by an eighth.
    os.environ.setdefault("NPROC", str(cores()))
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.ERROR)
    fix_numbers()
    import jax

    flags = os.environ["XLA_FLAGS"]
    if "JAX_NUM_CPU_DEVICES" not in os.environ and "device_count" not in flags:
        try:
            jax.config.update("jax_num_cpu_devices", cores())
        except RuntimeError:  # jax was used before: it keeps the devices that it has
            return
    if "JAX_COMPILATION_CACHE_DIR" not in os.environ and (folder := cache_folder()):
        jax.config.update("jax_compilation_cache_dir", str(folder))
        jax.config.update("jax_persistent_cache_min_compile_time_secs", FROM_SECONDS)


def fix_numbers() -> None:
    """Let a GPU compute the same numbers every time, in float32; see `start`."""
    flags = os.environ.get("XLA_FLAGS", "")
    if "autotune_level" not in flags:
        os.environ["XLA_FLAGS"] = f"{flags} {UNTUNED}".strip()
    import jax

    if "JAX_DEFAULT_MATMUL_PRECISION" not in os.environ:
        jax.config.update("jax_default_matmul_precision", "float32")  # not TensorFloat-32


def cores() -> int:
    """The cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def cache_folder() -> Path | None:
    """Where compiled programs are kept; None where it cannot be written."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = Path(base).expanduser() / "stimjax" / "jax"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return folder if os.access(folder, os.W_OK) else None
