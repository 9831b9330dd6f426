"""What a release is and how it was made: its `manifest.json`."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from stimjax import config
from stimjax.config.recipes import Recipe
from stimjax.config.settings import check, with_later, without_retired
from stimjax.disk.documents.document import Document, plain
from stimjax.errors import StimjaxError


@dataclasses.dataclass(frozen=True)
class Audited:
    """Lower bounds of epsilon that an attack showed on one training with the same settings.

    Each holds with 95 % confidence, at the guarantee's delta. See `learn.lower_bound`.

    Attributes:
        canaries: units that a coin put in or left out.
        epsilon: of any mechanism (Steinke, Nasr and Jagielski, NeurIPS 2023, arXiv 2305.08846).
        gaussian: of one that is as hard to attack as the Gaussian mechanism of its epsilon and
            delta (Mahloujifar, Melis and Chaudhuri, 2024, arXiv 2410.22235).
        most_epsilon: what `epsilon` would be if the attack knew all: so many canaries show no more.
        most_gaussian: the same of `gaussian`.
    """

    canaries: int
    epsilon: float
    gaussian: float
    most_epsilon: float
    most_gaussian: float

    def __str__(self) -> str:
        return (
            f"An attack on a training with the same settings, with {self.canaries} canaries and a "
            f"view of every step, showed that epsilon is at least {self.epsilon:.2f} (of "
            f"{self.most_epsilon:.2f} that so many could show), and at least {self.gaussian:.2f} "
            f"(of {self.most_gaussian:.2f}) if the whole is as hard to attack as the Gaussian "
            "mechanism; each with 95 % confidence."
        )


@dataclasses.dataclass(frozen=True)
class Guarantee:
    """The formal guarantee, as `learn.ledger` describes it; without one all is None.

    Attributes:
        unit: whose presence is hidden.
        epsilon: of everything that was spent.
        delta: for which epsilon holds.
        expenses: everything that was spent; empty without a guarantee.
        units: how many the holder said there are; None, and not in the file, where they were
            counted: then their number is known to all who read what was spent.
        audited: what an attack showed of it; None, and not in the file, where none was tried.
    """

    unit: Literal["subject", "window"] | None = None
    epsilon: float | None = None
    delta: float | None = None
    expenses: tuple[Mapping[str, Any], ...] = ()
    units: int | None = None
    audited: Audited | None = None

    def to_json(self) -> dict[str, Any]:
        """The JSON object, without `units` and `audited` where there are none."""
        optional = ("units", "audited")
        return {k: v for k, v in plain(self).items() if v is not None or k not in optional}


@dataclasses.dataclass(frozen=True)
class PeopleBehind:
    """How many people are behind a statistic of the training windows, see `excite.rows`.

    Attributes:
        statistic: its name.
        of: what has numbers of its own.
        parts: how many of these there are.
        coarser: parts that windows of other classes had to fill up, for want of people or windows.
        windows: behind the part that has the fewest.
        people: the same of people; 0 where windows are of nobody.
        effective: the same of 1 / sum of the people's squared shares, rounded down to tenths.
        share: the largest that one person has of a part.
    """

    statistic: str
    of: Literal["all", "classes", "groups"]
    parts: int
    coarser: int
    windows: int
    people: int
    effective: float
    share: float

    def __str__(self) -> str:
        of = "all windows" if self.of == "all" else f"{self.parts} {self.of}"
        coarser = f", {self.coarser} with windows of other classes" if self.coarser else ""
        named = f"{self.statistic} ({of}{coarser})"
        if not self.people:
            return f"{named}: {self.windows} windows or more, of nobody"
        people = "1 person" if self.people == 1 else f"{self.people} people"
        people += " or more" if self.parts > 1 else ""
        gives = "who gives" if self.people == 1 else "of whom none gives more than"
        return (
            f"{named}: {people}, in effect {self.effective:g}, {gives} {self.share:.0%} of the "
            "windows"
        )


@dataclasses.dataclass(frozen=True)
class PublicRecording:
    """A recording that anybody may have, told from others without its name.

    Attributes:
        sha256: of its conditioned signals, f32[time, channel].
        samples: its length, at the rate of the windows.
        windows: labeled ones that it gives.
    """

    sha256: str
    samples: int
    windows: int


@dataclasses.dataclass(frozen=True)
class Manifest(Document):
    """A release's `manifest.json`.

    Attributes:
        count: stimuli.
        method: the settings that they were made with, the recipe filled in. Their seed is written
            nowhere; releases of earlier versions name one.
        classes: stimuli by the most probable class of their label.
        accepted: by wanted class.
        failed: tries that were given up, by wanted class.
        hits: accepted ones that the teacher calls as wanted, by wanted class.
        lane_steps: steps of all lanes together.
        uses: what of the private data went into it, in sentences.
        privacy: the formal guarantee.
        versions: of the software, by name.
        people_behind: an entry for each statistic of private windows; none with a formal guarantee,
            which allows no such statistic, and none of versions that did not count.
        networks: families of the teacher's networks, which label; none of versions that did not
            say. An audit's shadow teachers are of the same.
        dp: how these were trained under a formal guarantee; None without one.
        prior: simulated sleepers, of whom its teacher learned too or its stimuli are made; None
            where neither is so, and of versions without.
        public: recordings that anybody may have, of which the same is true; none where neither is
            so, and of versions without.
        files: the SHA-256 of every other file, by name; empty until the release is complete.
    """

    FILE: ClassVar[str] = "manifest.json"
    SCHEMA: ClassVar[int] = 1

    count: int
    method: config.Synthesis
    classes: tuple[int, ...]
    accepted: tuple[int, ...]
    failed: tuple[int, ...]
    hits: tuple[int, ...]
    lane_steps: int
    uses: tuple[str, ...]
    privacy: Guarantee
    versions: Mapping[str, str]
    people_behind: tuple[PeopleBehind, ...] = ()
    networks: tuple[str, ...] = ()
    dp: config.Dp | None = None
    prior: config.Prior | None = None
    public: tuple[PublicRecording, ...] = ()
    files: Mapping[str, str] = dataclasses.field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """See `Document`; without the seed."""
        content = super().to_json()
        del content["method"]["seed"]
        return content

    @classmethod
    def from_json(cls, content: Any, where: str) -> Manifest:
        """See `Document`; reads the manifests of earlier versions too."""
        if isinstance(content, Mapping):
            method = without_retired(content.get("method"), "synthesis.")
            method = with_later(method, "synthesis.")
            later = {"people_behind": [], "networks": [], "dp": None, "prior": None, "public": []}
            content = {**later, **content, "method": method}
            content["dp"] = with_later(content["dp"], "teacher.dp.")
        return super().from_json(content, where)

    @property
    def recipe(self) -> Recipe:
        """The recipe of the method."""
        if self.method.recipe is None:
            raise StimjaxError(f"{self.FILE}: has no recipe")
        return self.method.recipe

    def refuse(self, where: str) -> None:
        """See `Document`: the settings have to be such as a release can have."""
        if self.method.recipe is None:
            raise StimjaxError(f"{where}: has no recipe")
        check(self.method, f"{where}: method.")
        if self.dp is not None:
            # Like `networks` it may name what this version lacks: an audit says so.
            named = self.dp.networks and config.Dp().networks
            check(dataclasses.replace(self.dp, networks=named), f"{where}: dp.")
        if self.prior is not None:
            check(self.prior, f"{where}: prior.")
