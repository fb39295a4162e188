"""A network as data: captured from an entry's module, read again without the entry's code."""
