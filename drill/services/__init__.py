"""What both front ends do, without knowing which of them asks."""
