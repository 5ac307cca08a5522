"""A study's life: its inputs, running, saving, resuming, results; a folder for each study.

start.py      `run`: on one machine (run/) or a space of machines (co_design/)
run/          options, plan, the layers' results and fronts, the network's totals
co_design/    the search for a machine, and the baselines that it is compared with
sweep/        every design of a space on fixed dataflows; drawn_sweep.py: with its pictures
compare/      two runs, two models, MAESTRO's own program
evaluate.py   what the mappings of a file cost; batch.py: many as arrays; layer_search.py: one layer without a folder
bench.py      how fast the models are here; forecast.py: what a run would do
results.py    what results.json holds, as types; results_reader.py reads it back; recorded.py: a whole run's folder
folder.py     a study's folder: created, locked, resumed; saving.py: the last save; watching.py: who watches
declared.py   settings declared once, for the command line and for Python
pictures/     pictures of a run and of a sweep, and the page that holds them
"""
