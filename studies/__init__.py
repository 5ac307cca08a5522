"""A run's life: its inputs, running, saving, resuming, exporting, reporting."""
