"""Counts and scores -> bounds, tests and sample sizes. Pure functions of the standard library.

In: counts or values of cases in a fixed order, a threshold or margin, an error rate `alpha`. Out:
numbers and plain decisions; what they mean for a merge is said by the rules. `binomial` bounds
shares, `star` bounds means of scores in a known range, `paired` judges differences of the same
cases, `holm` corrects a family, `order` says which cases are taken and in which order.

To add a method: one file of functions without state, clock or chance, ValueError for input that
has no meaning (never a silent NaN), and a test against an independent oracle. Standard library
only, so that whoever verifies a verdict needs nothing else; scipy and statsmodels are oracles of
the tests.
"""
