"""What people see and change of grouping rules and of the maps that alerts are read through."""
