"""How to choose: searches over mappings, machines and designs, and the processes that they run in.

objectives/   what a search minimises: expressions, and the proof that one never falls as runtime or energy grows
mappings/     the best mapping of one layer: samplers, populations, branch and bound
machines/     the best machine of a hardware space, each layer in its own best mapping
designs/      every design of a grid of machines, costed from tables
network.py    one mapping for each layer, chosen for the network's sums; lower bounds of networks
pareto.py     Pareto fronts
interrupts.py Ctrl-C, `kill` and a closed terminal: where they arrive and what happens then
processes.py  searches side by side in worker processes; board.py, locks.py: what they share
progress.py   the progress of a search, and who watches it
"""
