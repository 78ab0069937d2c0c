"""Level 6: what turns the book's sources into a site on which the labs live without a kernel."""
