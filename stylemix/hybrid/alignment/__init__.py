"""The parts of alignment: a path, the space in which moments are compared, the search, a transport plan."""
