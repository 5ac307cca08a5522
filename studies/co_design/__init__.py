"""Co-design: the search for the machine of a space on which a network does best."""
