"""Classes with a forward and a backward, judged as the pairs of functions that they are."""
