"""Verilog-A: emitted, compiled, run in VACASK, and checked against every other form of the same model."""
