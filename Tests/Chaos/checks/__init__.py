"""What must be so when a run is over, each part from the database and from what the clients know."""
