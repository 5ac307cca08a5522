"""What commands show: bars while they work, tables at the end."""
