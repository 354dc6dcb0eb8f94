"""Counts and scores -> bounds, tests and sample sizes. Pure functions of the standard library.

In: counts or values of cases in a fixed order, a threshold or margin, an error rate `alpha`. Out:
numbers and plain decisions; what they mean for a merge is said by the rules. `binomial` bounds
shares, `percentile` turns claims on percentiles into such, `star` bounds means of scores in a known
range, `paired` judges differences of the same cases, `judged` corrects a judge by rated anchors,
`holm` corrects a family, `attempts` shares the error rate between tries, `forecast` says how many
cases a mean will need, `order` says which cases are taken and in which order.

To add a method: one file of functions without state, clock or chance, ValueError for input that
has no meaning (never a silent NaN), and a test against an independent oracle. Standard library
only, so that whoever verifies a verdict needs nothing else; scipy and statsmodels are oracles of
the tests.
"""
