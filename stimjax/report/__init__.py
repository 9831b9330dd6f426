"""The report: one private HTML page that tells what a run did and how well it went."""

from stimjax.report.report import write
from stimjax.report.story import Answers, Night, Story

__all__ = ["Answers", "Night", "Story", "write"]
