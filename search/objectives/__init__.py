"""Objectives: the values that a search minimises."""
