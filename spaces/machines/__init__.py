"""The machines that a search or a sweep may choose from."""
