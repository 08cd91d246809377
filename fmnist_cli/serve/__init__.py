"""A model behind HTTP: the application, its page and the server that runs them."""
