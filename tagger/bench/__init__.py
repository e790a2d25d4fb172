"""Measuring: how fast the program is on this machine, each figure beside its limit.

A figure alone says little, since machines differ. So the limit, which is what the work
would cost if only the part that nobody can leave out were done, is taken in the same
run, turn by turn with the work itself.
"""
