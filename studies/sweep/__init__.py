"""A sweep: every design of a space of machines on fixed dataflows."""
