"""What an SLO counts now, looked at before it is saved."""
