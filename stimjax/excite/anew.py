"""The prior of a release: whether it can be had here, and having it anew."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from stimjax.batch import Spec
from stimjax.data import like, public, reader
from stimjax.data.public import Recorded
from stimjax.disk.documents import Manifest, PublicRecording
from stimjax.errors import StimjaxError
from stimjax.machine.versions import SIMULATOR
from stimjax.prior import nights
from stimjax.prior.known import Known


def prior(manifest: Manifest, spec: Spec, paths: Sequence[Path], wishes: tuple[str, ...]) -> Known:
    """The prior of a release, for whoever has it.

    Args:
        manifest: of the release.
        spec: of its windows.
        paths: of the public recordings that it names; without any the prior is the rest.
        wishes: labels of theirs for some channels, see `like.wished`.

    Raises:
        StimjaxError: the release has no prior, it is one that this version cannot make, or the
            recordings are others.
    """
    if manifest.prior is None:
        raise StimjaxError(
            "this release depends on no simulated sleepers, so that there is nothing to make anew"
        )
    if why := other_sleepers(manifest.versions, spec):
        raise StimjaxError(why)
    if not paths:
        return Known(manifest.prior)
    if not manifest.public:
        raise StimjaxError("depends on no public recordings; leave --public out")
    plan = like.wished(nights.plan_of(nights.form_of(spec)), wishes)
    read = [public.night(path, plan) for path in reader.find(paths)]
    found = {one.about: Recorded(one.about, one) for one in read}
    if why := other_recordings(manifest.public, list(found.values())):
        raise StimjaxError(f"{why}; name those that it was made with, with their scorings")
    return Known(manifest.prior, tuple(found[about] for about in manifest.public))


def others(manifest: Manifest, spec: Spec, recorded: Sequence[Recorded]) -> list[str]:
    """Why the prior of a release cannot be had here, a line each; none where it can.

    Args:
        manifest: of the release.
        spec: of its windows.
        recorded: the public recordings that there are.
    """
    if manifest.prior is None:
        return []
    sleepers = other_sleepers(manifest.versions, spec)
    return [why for why in (sleepers, other_recordings(manifest.public, recorded)) if why]


def other_sleepers(versions: Mapping[str, str], spec: Spec) -> str:
    """Why this version cannot make the sleepers of a release; "" where it can.

    Args:
        versions: of the software that made the release, by name.
        spec: of its windows.
    """
    needed = versions.get("simulator")
    if len(spec.shape) == 3 or needed == SIMULATOR:  # images are not simulated
        return ""
    return (
        f"its sleepers are of version {needed} of the simulator, and here is {SIMULATOR}; "
        f"install stimjax {versions.get('stimjax', 'of the version that made it')}"
    )


def other_recordings(named: Sequence[PublicRecording], recorded: Sequence[Recorded]) -> str:
    """In what public recordings are not those that a manifest names; "" where they are."""
    here = [one.about for one in recorded]
    absent, more = set(named) - set(here), set(here) - set(named)
    if not named or not (absent or more):
        return ""
    return (
        f"it depends on {len(named)} public recordings, of which {len(absent)} are not here (by "
        f"signals, length and scoring), and {len(more)} others are"
    )
