"""The contact form: a page of an inbox's own that needs nothing but a browser, and posts from a firm's own form."""
