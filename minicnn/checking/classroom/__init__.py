"""A class: many submissions, what they score, and what the services that collect them ask for."""
