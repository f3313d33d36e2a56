"""Packs: folders of questions, labs and reference pages, read, checked and compiled.

`drill.packs.bank.open_bank` is the hot path; everything that reads YAML or validates it is imported
only when a pack has changed.
"""
