"""The website chat. Nothing is sent and no webhook comes: visitors are clients of the desk's live protocol.

So all there is here is what can be set, and what of it a visitor's browser is told. Who a visitor is, what they may do
and see is the same for every live channel and lies in hub.desk.visitors.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

from connectors.chat.settings import ChatSettings, front
from hub.connector import Connector, Features


class ChatConnector(Connector):
    kind: ClassVar[str] = "chat"
    title: ClassVar[str] = "Website chat"
    features: ClassVar[Features] = Features(live=True, receipts=True, typing=True)
    Settings: ClassVar[type] = ChatSettings
    settings: ChatSettings

    def front(self) -> Mapping[str, Any]:
        return front(self.settings)
