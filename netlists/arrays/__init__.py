"""Fast solvers of wired arrays: linear read and dynamic write."""
