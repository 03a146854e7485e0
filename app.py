"""The web window: the pages, and what stands around each of them. Start it with `delningsstod serve`."""

from functools import partial

import streamlit as st

from assistant import texts
from assistant.pages import parts, review, signed
from evals import workbench

st.set_page_config(page_title=texts.NAME, page_icon=parts.ICON, layout="wide", initial_sidebar_state="collapsed")
who = signed.person()
if who is None:
    signed.nobody()
else:
    pages = parts.pages(who, {"review": partial(review.page, workbench.opened, who)})
    page = st.navigation(list(pages.values()), position="hidden")
    parts.frame(who, pages, page)
    parts.run(who, pages, page)
