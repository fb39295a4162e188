"""Start, limit, watch and stop workers; say what machine this is."""
