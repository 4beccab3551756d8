"""The emitted models in a stranger's deck: random devices, stimuli and circuits at a simulator's default options.

`cases` draws them, `truth` solves them, `decks` writes them as a user would, `simulators` runs them and `judging` counts what
is wrong. ``python -m tests.random_decks --help`` has the command line.
"""
