"""What the arrays of a teacher mean: the `teacher.json` beside them."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import Any, ClassVar

from stimjax import config
from stimjax.config.names import NETWORKS
from stimjax.config.settings import check, with_later
from stimjax.disk.documents.document import Document, plain
from stimjax.disk.documents.manifest import PublicRecording
from stimjax.disk.documents.metrics import CriticScores, Member
from stimjax.errors import StimjaxError


@dataclasses.dataclass(frozen=True)
class TeacherFile(Document):
    """A teacher's `teacher.json`.

    Attributes:
        networks: the families that label.
        counts: networks of each family.
        members: every network that was trained.
        critic: of identities; None where there is none.
        statistics: names of the arrays in `statistics.safetensors`, in order.
        spec: of the windows; `batch.Spec` reads it.
        privacy: the formal guarantee, None without; `learn.ledger.Ledger` reads it.
        versions: of the software, by name.
        dp: how the networks were trained under a formal guarantee; None without, and of versions
            that did not say.
        prior: simulated sleepers, from whom they learned too, or of whom stimuli may be made.
        own_prior: whether the private images are those that anybody may have; no in older ones.
        public: recordings that anybody may have, in `public-*.safetensors`; none in older ones.
    """

    FILE: ClassVar[str] = "teacher.json"
    SCHEMA: ClassVar[int] = 5

    networks: tuple[str, ...]
    counts: tuple[int, ...]
    members: tuple[Member, ...]
    critic: CriticScores | None
    statistics: tuple[str, ...]
    spec: Mapping[str, Any]
    privacy: Mapping[str, Any] | None
    versions: Mapping[str, str]
    dp: config.Dp | None = None
    prior: config.Prior = config.NO_PRIOR
    own_prior: bool = False
    public: tuple[PublicRecording, ...] = ()

    @classmethod
    def from_json(cls, content: Any, where: str) -> TeacherFile:
        """See `Document`; says what to do about another schema."""
        if isinstance(content, Mapping) and content.get("schema") != cls.SCHEMA:
            raise StimjaxError(
                f"{where}: has schema {json.dumps(content.get('schema'))}, this version reads "
                f"{cls.SCHEMA}; train the teacher again"
            )
        if isinstance(content, Mapping):
            later = {"dp": None, "prior": plain(config.NO_PRIOR), "own_prior": False}
            content = {**later, "public": [], **content}
            content["dp"] = with_later(content["dp"], "teacher.dp.")
        return super().from_json(content, where)

    def refuse(self, where: str) -> None:
        """See `Document`: networks that this version has, and a count for each."""
        for network in self.networks:
            if network not in NETWORKS:
                raise StimjaxError(
                    f"{where}: names the network {network!r}, which this version lacks"
                )
        whole = all(type(count) is int and count > 0 for count in self.counts)  # True is no count
        if not self.networks or len(self.counts) != len(self.networks) or not whole:
            raise StimjaxError(f"{where}: its counts are not one number for each of its networks")
        check(self.prior, f"{where}: prior.")
