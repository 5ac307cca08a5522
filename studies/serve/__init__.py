"""A service: networks share a machine, in time or in parts, or have one each; how long requests wait, and what they cost."""
