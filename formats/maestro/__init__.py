"""Files of the published MAESTRO: mappings and hardware, in and out."""
