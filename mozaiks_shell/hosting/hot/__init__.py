"""Development's hot reload: a saved plugin file is on the open page in less time than a restart takes (F-091).

The front door calls :func:`.service.start`. Nothing here runs in production.
"""
