"""The one error that a user can cause."""


class StimjaxError(Exception):
    """Something that the user can mend: one line that says what, where and how."""
