"""Memory: study days, the FSRS-6 model, grades, replay of the log, and what to ask next.

Everything here is pure: days and times are arguments, nothing is read from a clock or a disk.
"""
