"""Timeloop's files (github.com/NVlabs/timeloop).

names.py        what dims and tensors are called in what is written here
problem_in.py   a problem: a layer as an einsum
layers_in.py    problems as layers
mappings_in.py  mappings, each with its problem
document.py     a mapping as Timeloop's keys: problem, architecture and mapping
out.py          files of mappings
conventions.py  what Timeloop counts otherwise, and why
"""
