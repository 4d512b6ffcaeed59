"""Services, dependencies and changes, as people and tools read and tell them."""
