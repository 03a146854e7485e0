"""The web window: the pages, and what stands around each of them. Start it with `delningsstod serve`."""

from functools import partial

import streamlit as st

from assistant import texts
from assistant.pages import parts, review
from evals import workbench

st.set_page_config(page_title=texts.NAME, page_icon=parts.ICON, layout="wide", initial_sidebar_state="collapsed")
pages = parts.pages({"review": partial(review.page, workbench.opened)})
page = st.navigation(pages, position="hidden")
parts.frame(pages, page)
parts.run(page)
