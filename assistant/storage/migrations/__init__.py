"""How the schema came to be, step by step. A new step: write versions/NNNN_what.py by hand and set ``tables.HEAD``; a test compares."""
