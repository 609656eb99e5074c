"""Numbers, always exact: the rollups and what is not folded into them yet, read in one snapshot."""
