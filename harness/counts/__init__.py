"""What the counters of a model tell together: a verdict, and whether it is one network."""
