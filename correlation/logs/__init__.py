"""Log lines to templates, and templates to evidence; what is asked of Loki."""
