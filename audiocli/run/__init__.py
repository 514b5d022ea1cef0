"""One job: what every command does before and after, the walk over its inputs, and how it is stopped."""
