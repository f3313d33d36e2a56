"""An optional judge of free text that the learner configures; off by default.

`config`: the key and what is told; `client`: one request; `protocol`: what is sent and read;
`settling`: what of it counts; `asking`: all of that for one answer; `trial`: the self test.
"""
