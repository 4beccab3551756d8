"""Fits: measured data in, cards out, with uncertainties, held-out errors and a report."""
