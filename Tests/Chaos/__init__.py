"""Calls under faults: clients by a seed, faults by the same seed, and the proof from the database afterwards."""
