"""Everything with a syntax: text or bytes in, objects out, and back."""
