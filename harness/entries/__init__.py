"""What is measured: folders with a manifest, official checkouts, and their weights."""
