"""Timeloop's files (github.com/NVlabs/timeloop): problems in."""
