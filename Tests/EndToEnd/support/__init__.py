"""The clients that the end-to-end suite holds the program with; none of them knows its sources."""
