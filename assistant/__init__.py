"""One question's journey; ``pipeline.answer`` shows it whole."""
