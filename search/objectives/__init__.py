"""What a search makes small."""
