"""The mappings of one layer on one machine that a search may choose from."""
