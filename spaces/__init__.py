"""What may be chosen: legal orders, tile sizes, spatial dims, cluster shapes, and what constraints leave of them."""
