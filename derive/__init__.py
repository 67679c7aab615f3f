"""derive turns a small neural network into a worked solution: every gradient derived, put in numbers and checked."""
