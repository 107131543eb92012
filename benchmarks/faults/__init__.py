"""`make faults`: a real server, killed, run out of room and held up; what was lost?"""
