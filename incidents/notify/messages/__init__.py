"""What is said to each kind of channel: pure functions of a message."""
