"""What stays after an analysis: snapshots, verdicts, similar incidents."""
