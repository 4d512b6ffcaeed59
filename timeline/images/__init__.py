"""Images that people attach to their notes."""
