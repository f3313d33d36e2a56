"""Personal FSRS weights: what they are trained on, and whether they predict better. Pure.

`histories` turns the log into what FSRS learns from, `scoring` measures how well a set of weights
predicts, `comparison` holds the rule by which personal weights are adopted.
"""
