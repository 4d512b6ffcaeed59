"""What an incident costs: counted at the source, computed, kept, shown and frozen."""
