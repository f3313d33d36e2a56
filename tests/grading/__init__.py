"""Tests of the graders, of presentation and of expressions."""
