"""The values of the harness: frozen, checked when made, free of I/O."""
