"""Numbers that tell a hybrid from a crossfade, and the report that shows them."""
