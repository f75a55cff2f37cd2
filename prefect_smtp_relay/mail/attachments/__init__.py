"""Files that travel with a message: beside its body, or shown inside it."""
