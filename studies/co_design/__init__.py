"""Co-design: the machine of a space on which a network does best."""
