"""Visitors of live channels: who they are, what they may do, what they see. Called by hub.live and hub.commands.

A visitor is one browser on one site. Its token opens the tickets that it opened itself (`visitor_ticket`) and in them
what was said there; what the same person said in other browsers only while their site has freshly signed who they are.
Every function judges by the row as it stands in its
unit, not by the `Visitor` it is given: of that only the id counts.
"""

from hub.desk.visitors.details import Details as Details
from hub.desk.visitors.details import leave_details as leave_details
from hub.desk.visitors.identity import identify as identify
from hub.desk.visitors.look import Shown as Shown
from hub.desk.visitors.look import Standing as Standing
from hub.desk.visitors.look import State as State
from hub.desk.visitors.look import Summary as Summary
from hub.desk.visitors.look import TicketShown as TicketShown
from hub.desk.visitors.look import of_ticket as of_ticket
from hub.desk.visitors.look import read_upto as read_upto
from hub.desk.visitors.look import shown as shown
from hub.desk.visitors.look import standing as standing
from hub.desk.visitors.look import state as state
from hub.desk.visitors.look import summary as summary
from hub.desk.visitors.look import ticket_shown as ticket_shown
from hub.desk.visitors.mailing import Mailing as Mailing
from hub.desk.visitors.mailing import confirm_address as confirm_address
from hub.desk.visitors.mailing import mail_conversation as mail_conversation
from hub.desk.visitors.row import Entered as Entered
from hub.desk.visitors.row import Visit as Visit
from hub.desk.visitors.row import Visitor as Visitor
from hub.desk.visitors.row import enter as enter
from hub.desk.visitors.row import find as find
from hub.desk.visitors.row import forget as forget
from hub.desk.visitors.row import must as must
from hub.desk.visitors.row import page_view as page_view
from hub.desk.visitors.row import sweep as sweep
from hub.desk.visitors.row import visits as visits
from hub.desk.visitors.sending import Granted as Granted
from hub.desk.visitors.sending import Link as Link
from hub.desk.visitors.sending import grant as grant
from hub.desk.visitors.sending import link as link
from hub.desk.visitors.sending import open_file as open_file
from hub.desk.visitors.talk import Said as Said
from hub.desk.visitors.talk import acknowledge as acknowledge
from hub.desk.visitors.talk import end as end
from hub.desk.visitors.talk import inbox_of as inbox_of
from hub.desk.visitors.talk import read as read
from hub.desk.visitors.talk import say as say
from hub.desk.visitors.talk import start_anew as start_anew
from hub.desk.visitors.talk import switched_on as switched_on
from hub.desk.visitors.waiting import expected_wait as expected_wait
from hub.desk.visitors.waiting import is_long as is_long
from hub.desk.visitors.waiting import position as position
from hub.desk.visitors.waiting import somebody_online as somebody_online
