"""How long detecting, acknowledging, mitigating and resolving took, over many incidents."""
