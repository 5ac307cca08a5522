"""Pictures of a run and the page that holds them; they need matplotlib, which is installed with the extra `plots`."""
