"""Searches for the best mapping of one layer.

problem.py           a space, a cost model and an objective: the space to search, and the scores of its mappings
searcher.py          the interface of every searcher, its budget and its outcome; searchers.py: by the names of sampler_names.py
optuna_search.py     Optuna chooses orders, spatial dims and Clusters; sizes are searched for each
genetic.py           populations of whole mappings
branch_and_bound.py  the exact search; anytime.py: a first mapping, its proof within a gap, then a smaller gap
fronts.py            several objectives at once
seeds.py             structures and mappings to start from
incumbent.py         the best mapping so far, and the counts of the search
layers_job.py        the layers of a network as searches; rounds.py: first answers for all, then the rest; task.py: for workers
compiling.py         the kernels of a search, compiled in two processes in a first run
trials.py, population.py  the parts that all of them share; for this folder alone
"""
