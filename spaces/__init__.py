"""What may be chosen: loop orders, tile sizes, spatial dims and cluster shapes, within constraints; and machines."""
