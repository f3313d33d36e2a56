"""What the log says about learning: one definition a module, folds over answers, no I/O.

An answer is `right` where its score reaches the pass mark (the learner's own ticks come before the
automatic score, a grade that they gave by hand before both), and a `pass` where its grade is Hard
or better. Days are study days. What was undone is not there at all.
"""
