"""The JSON files that stimjax writes, each as one frozen dataclass.

`docs/files.md` says what they hold. Each class knows the name and the schema of its file.
"""

from stimjax.disk.documents.made import Cohort, Dealt, Made, Part
from stimjax.disk.documents.manifest import (
    Audited,
    Guarantee,
    Manifest,
    PeopleBehind,
    PublicRecording,
)
from stimjax.disk.documents.metrics import CriticScores, Member, Metrics
from stimjax.disk.documents.model import ModelFile
from stimjax.disk.documents.nights import (
    Agreement,
    AgreementFile,
    BlandAltman,
    Compared,
    Measured,
    NightFile,
    Nights,
    NightSummary,
    Sleep,
    Threshold,
)
from stimjax.disk.documents.privacy import LEAKS, Entry, Privacy, Side, Sides
from stimjax.disk.documents.results import (
    Family,
    HeldOut,
    Interval,
    Loss,
    Results,
    Row,
    Scores,
    Split,
    TeacherScores,
)
from stimjax.disk.documents.teacher import TeacherFile
from stimjax.disk.documents.tradeoff import Estimate, TradeoffPoint
from stimjax.disk.documents.utility import AttackUtility, StudentUtility, Utility

__all__ = [
    "LEAKS",
    "Agreement",
    "AgreementFile",
    "AttackUtility",
    "Audited",
    "BlandAltman",
    "Cohort",
    "Compared",
    "CriticScores",
    "Dealt",
    "Entry",
    "Estimate",
    "Family",
    "Guarantee",
    "HeldOut",
    "Interval",
    "Loss",
    "Made",
    "Manifest",
    "Measured",
    "Member",
    "Metrics",
    "ModelFile",
    "NightFile",
    "NightSummary",
    "Nights",
    "Part",
    "PeopleBehind",
    "Privacy",
    "PublicRecording",
    "Results",
    "Row",
    "Scores",
    "Side",
    "Sides",
    "Sleep",
    "Split",
    "StudentUtility",
    "TeacherFile",
    "TeacherScores",
    "Threshold",
    "TradeoffPoint",
    "Utility",
]
