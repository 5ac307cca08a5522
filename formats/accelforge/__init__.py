"""AccelForge's files (accelforge.org): a layer, the machine and the mapping in one file each layer out, and mappings in.

out.py       the three parts of a file: workload, arch, mapping
nodes.py     the nodes of a mapping, and what AccelForge cannot express
script.py    the program that has AccelForge count a file's actions
"""
