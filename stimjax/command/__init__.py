"""The `stimjax` command."""
