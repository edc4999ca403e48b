"""The API's own description, nginx/description: what it says, and whether what is seen fits it."""
