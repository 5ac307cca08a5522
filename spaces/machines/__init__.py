"""The machines that may be chosen."""
