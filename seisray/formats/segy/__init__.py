"""SEG-Y: bytes to gathers and back; nothing else knows byte positions."""
