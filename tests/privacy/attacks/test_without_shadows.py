"""What the attacks on membership that need no shadow releases have in common."""

from typing import Any

import pytest

from stimjax.privacy.attacks import density, domias, dpi, gen_lra, local

SEE_ALL = (domias, gen_lra, local)  # for the others see their own tests
ATTACKS = (*SEE_ALL, density, dpi)


def found(attack, world) -> dict[tuple[str, str], Any]:
    return {(f.metric, f.level): f for f in attack.ATTACK.run(world)}


@pytest.mark.parametrize("attack", SEE_ALL, ids=lambda attack: attack.NAME)
def test_members_of_a_release_of_their_windows_are_found(world, attack):
    by = found(attack, world("both"))
    assert by["auc", "window"].value > 0.9 and by["auc", "subject"].value > 0.9


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.NAME)
def test_strangers_tell_of_nobody(world, attack, seed):
    by = found(attack, world(seed=seed))
    for level in ("window", "subject"):
        low, high = by["auc", level].interval
        assert low <= 0.5 <= high
