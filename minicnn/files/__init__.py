"""Files: written whole or not at all, read with a limit, and never with code inside."""
