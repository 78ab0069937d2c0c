"""What all labs share."""
