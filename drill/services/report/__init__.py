"""The study report: gathered into one document, rendered as HTML, Markdown or JSON."""
