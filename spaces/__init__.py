"""What may be chosen: legal orders, tile sizes, spatial dims, cluster shapes, and the classic dataflows as templates."""
