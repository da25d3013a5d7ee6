"""Running a workflow folder: the group of agents, what they say, the tools they call, who is next.

One loop (:mod:`.session`) for every engine; an engine is what thinks for an agent: :mod:`.scripted` follows the definition
without any model, :mod:`.openai` asks an OpenAI-compatible server, :mod:`.ag2` lets AG2 do it.
"""
