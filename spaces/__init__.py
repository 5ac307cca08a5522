"""What may be chosen: mappings of a layer (`mappings/`) and machines (`machines/`)."""
