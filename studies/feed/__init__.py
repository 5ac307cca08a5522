"""Whether an input pipeline keeps accelerators busy: rates of its stages, stalls, and what would end them."""
