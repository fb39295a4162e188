"""Pictures of results: what of them is kept beside the records, and where they differ most."""
