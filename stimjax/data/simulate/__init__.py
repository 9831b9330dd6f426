"""A simulated cohort of sleepers, so that everything can be tried without anybody's data."""

from stimjax.data.simulate.write import Task, write_cohort

__all__ = ["Task", "write_cohort"]
