"""What runs shards on nodes: processes here, Slurm, Ray; and the queue in front of them."""
