"""Two incidents of one failure: found, proposed, merged and taken apart again."""
