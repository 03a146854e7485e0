"""The web window as a browser sees it, for `bench.load`: Streamlit's own messages over its websocket."""

from __future__ import annotations

import re
from typing import Any

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import connect
from websockets.typing import Origin, Subprotocol

LARGEST = 64 * 2**20
PATIENCE_S = 120  # a browser tries again; here the first try waits
_VARYING = re.compile(r"[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class OverWebsocket:
    """A conversation in the web window."""

    def __init__(self, urls: list[str], headers: dict[str, str]) -> None:
        self.url, self.headers = urls[0], headers  # a browser stays with its process
        self.line: Any = None
        self.box = ""
        self.seen: dict[str, ForwardMsg] = {}
        self.texts: list[str] = []

    async def open(self) -> None:
        """Open the page."""
        self.line = await connect(f"{self.url.replace('http', 'ws', 1)}/_stcore/stream", subprotocols=[Subprotocol("streamlit")],
                                  additional_headers=self.headers, origin=Origin(self.url), max_size=LARGEST,
                                  open_timeout=PATIENCE_S, ping_interval=None)
        await self._run(BackMsg())

    async def ask(self, text: str) -> Any:
        """What the page shows for the question: every piece of it that stands after the question's own words."""
        message = BackMsg()
        state = message.rerun_script.widget_states.widgets.add()
        state.id, state.chat_input_value.data = self.box, text
        self.texts.append(text)
        shown = await self._run(message)
        last = next((n for n in range(len(shown) - 1, -1, -1) if 'class="ds-question"' in shown[n]), None)
        if last is None or self._plain(text) not in self._plain(shown[last]):
            raise RuntimeError("the page shows no answer, or another question's")
        return [_VARYING.sub("", one) for one in shown[last:]]

    async def check(self, texts: list[str], somebody: str) -> list[str]:  # noqa: ARG002 - as over HTTP
        """What is wrong with the conversation afterwards."""
        return [] if self.texts == texts else ["the conversation holds other questions"]

    async def close(self) -> None:
        """Close the window."""
        if self.line is not None:
            await self.line.close()

    async def _run(self, message: BackMsg) -> list[str]:
        """Send, and give every piece of HTML of the page's last whole run."""
        message.rerun_script.page_script_hash = message.rerun_script.page_script_hash or ""
        await self.line.send(message.SerializeToString())
        shown: list[str] = []
        while True:
            told = ForwardMsg.FromString(await self.line.recv())
            if told.WhichOneof("type") == "ref_hash":
                told = self.seen[told.ref_hash]
            elif told.hash:
                self.seen[told.hash] = told
            kind = told.WhichOneof("type")
            if kind == "new_session":
                shown = []
            elif kind == "delta" and told.delta.WhichOneof("type") == "new_element":
                element = told.delta.new_element
                if element.WhichOneof("type") == "html":
                    shown.append(element.html.body)
                elif element.WhichOneof("type") == "chat_input":
                    self.box = element.chat_input.id
            elif kind == "script_finished" and told.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY:
                return shown

    @staticmethod
    def _plain(text: str) -> str:
        return re.sub(r"\W+", "", re.sub(r"&#?\w+;|<[^>]+>", "", text))
