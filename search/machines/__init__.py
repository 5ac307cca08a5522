"""The search for the best machine of a space."""
