"""The mappings of one layer on one machine that may be chosen."""
