"""The settings as pages: forms that work without scripts, each beside the commands that do the same through the API.

One module a noun; `frame` has what they share. `PAGES` are their addresses, for hub.web.routes.
"""

from typing import Final

from hub.web.settings import agents, home, inboxes, profile, roles, security, sign_in, teams, tokens
from hub.web.settings.frame import Handler, shown, taken

PAGES: Final[tuple[tuple[str, str, Handler], ...]] = (
    ("GET", "/settings", shown(home.home)),
    ("GET", "/settings/profile", shown(profile.profile)),
    ("POST", "/settings/profile", taken(profile.change_profile)),
    ("POST", "/settings/profile/password", taken(profile.change_password)),
    ("GET", "/settings/security", shown(security.security)),
    ("POST", "/settings/security/two-factor", taken(security.begin)),
    ("POST", "/settings/security/two-factor/confirm", taken(security.confirm)),
    ("POST", "/settings/security/two-factor/codes", taken(security.new_codes)),
    ("POST", "/settings/security/two-factor/off", taken(security.end)),
    ("POST", "/settings/security/sessions", taken(security.end_others)),
    ("POST", "/settings/security/sessions/{id}", taken(security.end_session)),
    ("GET", "/settings/tokens", shown(tokens.every_token, "tokens.manage")),
    ("POST", "/settings/tokens", taken(tokens.create, "tokens.manage")),
    ("POST", "/settings/tokens/{id}/revoke", taken(tokens.revoke, "tokens.manage")),
    ("GET", "/settings/sign-in", shown(sign_in.rules, "desk.manage")),
    ("POST", "/settings/sign-in", taken(sign_in.change, "desk.manage")),
    ("GET", "/settings/agents", shown(agents.everybody, "agents.read")),
    ("POST", "/settings/agents", taken(agents.invite, "agents.manage")),
    ("GET", "/settings/agents/{id}", shown(agents.one, "agents.read")),
    ("POST", "/settings/agents/{id}", taken(agents.change, "agents.manage")),
    ("POST", "/settings/agents/{id}/link", taken(agents.new_link, "agents.manage")),
    ("POST", "/settings/agents/{id}/sign-out", taken(agents.sign_out, "agents.help")),
    ("POST", "/settings/agents/{id}/two-factor", taken(agents.reset_two_factor, "agents.help")),
    ("POST", "/settings/agents/{id}/disable", taken(agents.disable, "agents.manage")),
    ("POST", "/settings/agents/{id}/enable", taken(agents.enable, "agents.manage")),
    ("GET", "/settings/teams", shown(teams.every_team, "agents.read")),
    ("POST", "/settings/teams", taken(teams.add, "agents.manage")),
    ("GET", "/settings/teams/{id}", shown(teams.one, "agents.read")),
    ("POST", "/settings/teams/{id}", taken(teams.change, "agents.manage")),
    ("GET", "/settings/roles", shown(roles.grid, "agents.read")),
    ("POST", "/settings/roles", taken(roles.add, "roles.manage")),
    ("GET", "/settings/roles/new", shown(roles.new, "roles.manage")),
    ("GET", "/settings/roles/{id}", shown(roles.one, "agents.read")),
    ("POST", "/settings/roles/{id}", taken(roles.change, "roles.manage")),
    ("POST", "/settings/roles/{id}/remove", taken(roles.remove, "roles.manage")),
    ("GET", "/settings/inboxes", shown(inboxes.list_inboxes, "inboxes.read")),
    ("POST", "/settings/inboxes", taken(inboxes.add_inbox, "inboxes.manage")),
    ("GET", "/settings/inboxes/{id}", shown(inboxes.one_inbox, "inboxes.read")),
    ("POST", "/settings/inboxes/{id}", taken(inboxes.change_inbox, "inboxes.manage")),
    ("POST", "/settings/inboxes/{id}/sites", taken(inboxes.allow_site, "inboxes.manage")),
    ("GET", "/settings/inboxes/{id}/seen", shown(inboxes.seen_from, "inboxes.read")),
)
