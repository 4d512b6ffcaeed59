"""What requests do differently, step by step: only where every request was recorded."""
