"""stimjax: publish what a network learned from private recordings, not the recordings."""
