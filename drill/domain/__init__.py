"""Questions, judging and memory as pure functions over plain dataclasses; no I/O."""
