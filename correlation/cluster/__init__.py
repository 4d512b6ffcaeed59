"""What Kubernetes says of workloads; what is asked of it."""
