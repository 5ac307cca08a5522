"""SCALE-Sim's files (github.com/scalesim-project/SCALE-Sim): topologies in and out."""
