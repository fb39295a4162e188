"""From records to a ranked board: the store, ranks, scores, intervals of ranks."""
