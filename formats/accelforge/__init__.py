"""AccelForge's files (accelforge.org): layers with their mappings out, one file each, and in.

out.py           a file of workload, machine and mapping
nodes.py         the nodes of a mapping
conventions.py   AccelForge's counts by our figures, and where it counts otherwise
mappings_in.py   mappings; workload_in.py: their einsums
"""
