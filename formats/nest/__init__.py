"""A mapping as a loop nest: what is the same in every programming language, and for other tools.

loop_nest.py  the loops with their lengths, and why they are no product of whole factors
loops.py      the loops and the calls within them, in terms that all languages share
buffers.py    the sizes of L2 and L1, and where in level 0 the L2's tiles change
counts.py     the counts that other tools make too, and their conventions
flat.py       a mapping from one list of loops
files.py      a file for each layer: its name, its head, its constants

A language is a format of its own beside this folder, which prints these and adds the functions that they call.
"""
