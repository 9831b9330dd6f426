"""The report: a private HTML page that tells what a run did, and one that may be published."""

from stimjax.report.public import contents
from stimjax.report.report import write
from stimjax.report.story import Answers, Night, Story

__all__ = ["Answers", "Night", "Story", "contents", "write"]
