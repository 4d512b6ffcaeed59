"""What needs labelled incidents to be measured; see docs/accuracy.md."""
