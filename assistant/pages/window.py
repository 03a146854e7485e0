"""The web window as an ASGI app: app.py under Streamlit, with the settings that Streamlit takes nowhere else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import streamlit as st
from streamlit import config

from assistant.pages import parts
from assistant.pipeline import Desk


def window(script: Path, secret: str, held: Desk) -> Any:
    """The app; its ``lifespan()`` is the server's to begin and end. ``held``: the sources, open already."""
    app = st.App(script)  # before the settings: it finds the .streamlit folder beside the script
    config.set_option("server.cookieSecret", secret)  # the same in every process, so that an upload can be checked by another
    config.set_option("client.allowedOrigins", [])  # Streamlit lets its maker's sites send the window messages
    parts.share(held)
    return app
