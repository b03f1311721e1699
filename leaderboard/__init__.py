"""From stored results to tables, and the rules by which a result gets into them."""
