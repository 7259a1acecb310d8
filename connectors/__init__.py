"""The channels that come with Parley: one line each. The module behind a line is imported when an inbox first needs it.

Channels from elsewhere announce themselves by the entry-point group "parley.connectors", with the kind as the name.
"""

CONNECTORS: dict[str, tuple[str, str]] = {
    # kind: (title, "module:class")
    "chat": ("Live chat (one line on your pages)", "connectors.chat.connector:ChatConnector"),
    "email": ("E-mail (a mailbox, by IMAP and SMTP)", "connectors.email.connector:EmailConnector"),
    "form": ("Contact form (a page of its own, or a form of yours)", "connectors.form.connector:FormConnector"),
    "webhook": ("Webhook (any system that can send and take JSON)", "connectors.webhook.connector:WebhookConnector"),
}
