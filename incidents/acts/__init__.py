"""What people do on the incident page: each act's form, and what it does."""
