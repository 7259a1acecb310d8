// The launcher's words. The loader is served without a catalogue: hub.web.widget_files looks these up and puts them in;
// they stand here so that they are collected with all the others.

import { _ } from "./words.js";

export const LAUNCHER = () => [_("Chat with us"), _("Chat"), _("{0} unread")];
