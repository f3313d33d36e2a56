"""The child process that runs experiments and proofs, and the protocol it speaks."""
