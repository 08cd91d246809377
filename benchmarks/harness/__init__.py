"""What the measurements share: rows, the results page, the machine's name, a command's cost."""
