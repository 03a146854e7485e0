"""The web window: which pages there are. `streamlit run app.py`, or `delningsstod serve`."""

from assistant.pages import parts

parts.show("chat", "assessment", "sources", "review", "about")
