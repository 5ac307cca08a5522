"""Pictures of a run and the page that holds them, and those of a sweep; they need matplotlib (the extras `plots` and `sweep`)."""
