"""Evaluation sets, measures, runs, comparisons, gates and reports; calls ``Assistant`` only."""
