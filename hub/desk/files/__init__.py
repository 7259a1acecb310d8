"""Files of messages and notes: what is known of them, who may have them, how they come and go. Called by everybody who
says something, by the doors and by the jobs of hub.work.files; what they hold lies in `hub.db.contents`.
"""
