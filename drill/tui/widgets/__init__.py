"""Widgets: code, answers of each type, confidence, feedback, pictures and plots."""
