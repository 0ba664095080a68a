"""What lies in the folder of a run, and what its tables hold."""
