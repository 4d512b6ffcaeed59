"""Every address that is read with GET, found by walking the URL conf, and rows for it to show."""
