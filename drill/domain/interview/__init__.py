"""A mock interview: what is asked, the dialogue about each question, and the scorecard. Pure."""
