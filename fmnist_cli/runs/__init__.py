"""Compare training runs by what their run directories record."""
