"""Design space exploration: the space that transformations open, populations of designs, NSGA-II, exact seeds."""
