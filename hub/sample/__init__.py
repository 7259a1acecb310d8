"""Sample data: two weeks of a made-up desk, told by the script in stories/ and played through the functions that
commands call, each step at its own time. Started by hub.commands.sample and hub.operations; played by a job, unit by
unit, so that it goes on after a crash where it was. Everything is marked (hub.people.samples), and `clear` takes away
exactly that.
"""
