"""A trained network at work: with all that it needs to read faces, and its figures."""
