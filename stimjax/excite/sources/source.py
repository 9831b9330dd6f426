"""What a source is."""

from __future__ import annotations

from collections.abc import Callable

from jaxtyping import Array

# (key, wanted class i32[]) -> the start of one stimulus: f32[*shape] within the range of the spec,
# or whatever else the parametrization takes. Pure; both arguments can be vmapped.
Source = Callable[[Array, Array], Array]
