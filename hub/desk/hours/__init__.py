"""Business hours: when somebody answers, by a zone's own clock, with holidays; of a team or an inbox.

`schedule` reckons and knows no database, `rows` keeps them, `lookup` asks the library `holidays`.
"""

from hub.desk.hours.rows import DAYS_KNOWN as DAYS_KNOWN
from hub.desk.hours.rows import LOOK_UP as LOOK_UP
from hub.desk.hours.rows import Day as Day
from hub.desk.hours.rows import Hours as Hours
from hub.desk.hours.rows import SpecialDay as SpecialDay
from hub.desk.hours.rows import all_of_them as all_of_them
from hub.desk.hours.rows import calendar as calendar
from hub.desk.hours.rows import change as change
from hub.desk.hours.rows import countries as countries
from hub.desk.hours.rows import create as create
from hub.desk.hours.rows import delete as delete
from hub.desk.hours.rows import get as get
from hub.desk.hours.rows import keep_holidays as keep_holidays
from hub.desk.hours.rows import of as of
from hub.desk.hours.rows import require as require
from hub.desk.hours.rows import schedule_of as schedule_of
from hub.desk.hours.rows import unknown_holidays as unknown_holidays
from hub.desk.hours.schedule import Schedule as Schedule
