"""What our own code is measured against: the smallest that does part of its work."""
